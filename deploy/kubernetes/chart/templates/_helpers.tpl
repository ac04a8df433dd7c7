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

{{- define "lanekeeper.tag" -}}
{{ .Values.images.tag | default .Chart.AppVersion }}
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

{{- define "lanekeeper.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
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

{{- /* SIGTERM, GRACE_MS, and 10 s to hand over or to answer; the preStop hook counts too. */}}
{{- define "lanekeeper.terminationSeconds" -}}
{{ add (div (add (int .graceMs) 999) 1000) 10 (int (.preStopSeconds | default 0)) }}
{{- end }}
