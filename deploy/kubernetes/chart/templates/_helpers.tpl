{{- define "lanekeeper.name" -}}
{{- $name := contains "lanekeeper" .Release.Name | ternary .Release.Name (printf "%s-lanekeeper" .Release.Name) }}
{{- $name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- /* What selects the pods of a role. It must never change: a Deployment keeps its selector. Give it `root` and `role`. */}}
{{- define "lanekeeper.selector" -}}
app.kubernetes.io/name: lanekeeper
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "lanekeeper.labels" -}}
{{ include "lanekeeper.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- /* Settings as they are, sorted by name. Give it one map. */}}
{{- define "lanekeeper.settings" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "lanekeeper.podSettings" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Pods of one role spread over nodes and zones, where there are several. */}}
{{- define "lanekeeper.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "lanekeeper.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{- /* Where Prometheus finds a pod, and what the values add. Give it `root`, `port` and `values` of the role. */}}
{{- define "lanekeeper.podAnnotations" -}}
{{- if or .root.Values.prometheusAnnotations .values.podAnnotations }}
annotations:
  {{- if .root.Values.prometheusAnnotations }}
  prometheus.io/scrape: "true"
  prometheus.io/port: {{ .port | quote }}
  {{- end }}
  {{- with .values.podAnnotations }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end }}

{{- /* What every container has. Give it `root` and the name of its `image`. */}}
{{- define "lanekeeper.image" -}}
image: {{ get .root.Values.images .image }}:{{ .root.Values.images.tag | default .root.Chart.AppVersion }}
imagePullPolicy: {{ .root.Values.images.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "lanekeeper.mounts" -}}
volumeMounts:
  - { name: secrets, mountPath: /run/secrets/lanekeeper, readOnly: true }
  - { name: tmp, mountPath: /tmp }
{{- end }}

{{- /* The secrets as files. Give it a list with a `name`, a `key` and a `path` each. */}}
{{- define "lanekeeper.volumes" -}}
volumes:
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- range . }}
        - secret:
            name: {{ .name }}
            items: [{ key: {{ .key }}, path: {{ .path }} }]
        {{- end }}
  - name: tmp
    emptyDir: { sizeLimit: 64Mi }
{{- end }}

{{- /* Probes of the startup and of a process that hangs. Give it the name of the port. */}}
{{- define "lanekeeper.livenessProbes" -}}
startupProbe:
  httpGet: { path: /livez, port: {{ . }} }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: {{ . }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{- define "lanekeeper.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "lanekeeper.name" .root }}-{{ .role }}
  labels: {{- include "lanekeeper.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ (get .root.Values .role).disruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{- include "lanekeeper.selector" . | nindent 6 }}
{{- end }}

{{- /* SIGTERM, GRACE_MS, and 10 s to hand over or to answer; the preStop hook counts too. */}}
{{- define "lanekeeper.terminationSeconds" -}}
{{ add (div (add (int .graceMs) 999) 1000) 10 (int (.preStopSeconds | default 0)) }}
{{- end }}
