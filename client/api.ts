/** Written by `npm run openapi` from docs/openapi.json. */
export interface paths {
    "/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Creates an account */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Opens a session and returns its token */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ends all sessions of the user but the caller's */
        delete: operations["endSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists dead letters, oldest first */
        get: operations["listDeadLetters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Runs dead letters again, in the order of each user */
        post: operations["retryDeadLetters"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/drop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes dead letters off the list */
        post: operations["dropDeadLetters"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/requests/{seq}/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends a run that does not end by itself, and frees its user */
        post: operations["endRun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/stuck": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists users with pending requests and no progress */
        get: operations["listStuckUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says what a user waits for, who owns its lane, and what runs */
        get: operations["getUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists users and why they wait, the longest without progress first */
        get: operations["listUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says what is wrong, who owns the lanes, and how long requests wait */
        get: operations["getOverview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/lanes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says who owns each lane, and how lanes moved in the last hour */
        get: operations["getLanes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Checks both servers, at most once a second */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says that the process answers */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns this description */
        get: operations["getDescription"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns a page that shows this description */
        get: operations["getReferencePage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs/reference.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the script of that page */
        get: operations["getReferenceScript"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the console */
        get: operations["getConsole"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/console.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the script of the console */
        get: operations["getConsoleScript"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/console.css": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the style sheet of the console */
        get: operations["getConsoleStyle"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/{path}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        /** Answers whether a page of another origin may call */
        options: operations["preflight"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/enqueue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accepts a request, or several, at the end of the user's queue */
        post: operations["enqueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/enqueue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Accepts a request, or several, at the end of the user's queue */
        post: operations["enqueueForUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/requests/{seq}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns one request, at once or when it is settled or blocked */
        get: operations["getRequest"];
        put?: never;
        post?: never;
        /** Cancels a request that waits */
        delete: operations["cancelRequest"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/requests/{seq}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns one request, at once or when it is settled or blocked */
        get: operations["getRequestOfUser"];
        put?: never;
        post?: never;
        /** Cancels a request that waits */
        delete: operations["cancelRequestOfUser"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the requests of the user in their order */
        get: operations["listRequests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the requests of the user in their order */
        get: operations["listRequestsOfUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/requests/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancels several requests that wait, or all */
        post: operations["cancelRequests"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/requests/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancels several requests that wait, or all */
        post: operations["cancelRequestsOfUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/requests/{seq}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Runs a request again that failed, is blocked or waits for an attempt */
        post: operations["retryRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/requests/{seq}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Runs a request again that failed, is blocked or waits for an attempt */
        post: operations["retryRequestOfUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/requests/{seq}/skip": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives a request up that is blocked or waits for an attempt */
        post: operations["skipRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/requests/{seq}/skip": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives a request up that is blocked or waits for an attempt */
        post: operations["skipRequestOfUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says how far the user's queue has come */
        get: operations["getQueue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says how far the user's queue has come */
        get: operations["getQueueOfUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says what happens to the user's requests, from a place on */
        get: operations["getEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Says what happens to the user's requests, from a place on */
        get: operations["getEventsOfUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/stream-token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Returns a token with which an `EventSource` may connect */
        post: operations["createStreamToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/stream-token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Returns a token with which an `EventSource` may connect */
        post: operations["createStreamTokenForUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/disconnect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends the session; with the last one, drains the queue and deletes it */
        post: operations["disconnect"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{ref}/disconnect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends the session; with the last one, drains the queue and deletes it */
        post: operations["disconnectUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description RFC 9457. Programs rely on `code`; texts may change. */
        Problem: {
            type: string;
            title: string;
            status: number;
            /** @enum {string} */
            code: "invalid-reference" | "invalid-request" | "weak-password" | "invalid-json" | "missing-token" | "invalid-token" | "invalid-key" | "expired-token" | "session-ended" | "invalid-credentials" | "not-an-operator" | "insufficient-scope" | "key-required" | "key-not-accepted" | "registration-closed" | "invalid-invite" | "no-such-user" | "request-not-found" | "not-found" | "method-not-allowed" | "ambiguous-user" | "username-taken" | "not-cancellable" | "not-retryable" | "not-blocked" | "not-running" | "request-too-large" | "unsupported-charset" | "unsupported-encoding" | "idempotency-key-reused" | "too-many-calls" | "login-delayed" | "key-rate-exceeded" | "too-many-pending" | "enqueue-rate-exceeded" | "too-many-polls" | "too-many-streams" | "internal-error" | "bad-event" | "bad-config" | "busy" | "draining" | "not-recorded-in-time" | "not-migrated" | "store-unavailable" | "secret-unavailable" | "broker-unavailable";
            detail?: string;
        };
        NewAccount: {
            username: string;
            password: string;
            invite?: string;
        };
        Account: {
            userId: string;
            username: string;
        };
        Credentials: {
            username: string;
            password: string;
        };
        Login: {
            token: string;
            expiresIn: number;
        };
        EndedSessions: {
            ended: number;
        };
        DeadLetterPage: {
            deadLetters: components["schemas"]["DeadLetter"][];
            next?: string;
        };
        DeadLetter: {
            userId: string;
            user?: string;
            seq: number;
            status: components["schemas"]["RequestStatus"];
            /** @enum {string} */
            reason: "failed" | "crashed" | "interrupted" | "ended";
            attempts: number;
            maxAttempts?: number;
            timeoutMs?: number;
            /** @enum {string} */
            onInterruption?: "rerun" | "dead-letter";
            error?: components["schemas"]["FullRunError"];
            /** Format: date-time */
            at: string;
            /** Format: date-time */
            acceptedAt: string;
            retryOf?: number;
            request: unknown;
        };
        /**
         * @description Settled: done, failed, cancelled, abandoned.
         * @enum {string}
         */
        RequestStatus: "queued" | "processing" | "blocked" | "done" | "failed" | "cancelled" | "abandoned";
        /** @description Why a run failed, in full. */
        FullRunError: {
            name: string;
            message: string;
            exposed?: boolean;
            cause?: components["schemas"]["FullRunError"];
            errors?: components["schemas"]["FullRunError"][];
        };
        Selection: {
            user?: string;
            userId?: string;
            items?: {
                user?: string;
                userId?: string;
                seq: number;
            }[];
            /** @constant */
            all?: true;
            after?: string;
        };
        RetriedDeadLetters: components["schemas"]["RetriedItems"] | components["schemas"]["DecidedCounts"];
        RetriedItems: {
            results: ({
                userId?: string;
                user?: string;
                seq: number;
                /** @constant */
                result: "retried";
                retriedAs: number;
            } | {
                userId?: string;
                user?: string;
                seq: number;
                /** @constant */
                result: "refused";
                code: string;
                detail: string;
            })[];
        };
        DecidedCounts: {
            decided: number;
            refused: number;
            refusedBy: {
                [key: string]: number;
            };
            next?: string;
        };
        DroppedDeadLetters: components["schemas"]["DroppedItems"] | components["schemas"]["DecidedCounts"];
        DroppedItems: {
            results: ({
                userId?: string;
                user?: string;
                seq: number;
                /** @constant */
                result: "dropped";
            } | {
                userId?: string;
                user?: string;
                seq: number;
                /** @constant */
                result: "refused";
                code: string;
                detail: string;
            })[];
        };
        /** @description A request as the ledger has it. Fields that do not apply are absent. */
        Request: {
            /** @description The place of the request in its user's order. */
            seq: number;
            status: components["schemas"]["RequestStatus"];
            /** @description The Idempotency-Key. */
            key?: string;
            /** @description At most so many requests run until this one is done. */
            position?: number;
            attempts: number;
            maxAttempts?: number;
            timeoutMs?: number;
            /** @enum {string} */
            onInterruption?: "rerun" | "dead-letter";
            error?: components["schemas"]["RunError"];
            deadLetter?: {
                /** @enum {string} */
                reason: "failed" | "crashed" | "interrupted" | "ended";
                /** Format: date-time */
                at: string;
            };
            retryOf?: number;
            /** Format: date-time */
            acceptedAt: string;
            /** Format: date-time */
            startedAt?: string;
            /** Format: date-time */
            retryAt?: string;
            /** Format: date-time */
            ending?: string;
            /** Format: date-time */
            settledAt?: string;
            /** @description What the processor returned, as JSON. */
            result?: unknown;
        };
        /** @description Why a run failed, as far as clients may see it. */
        RunError: {
            name: string;
            message: string;
            cause?: components["schemas"]["RunError"];
            errors?: components["schemas"]["RunError"][];
        };
        StuckUsers: {
            stuck: {
                userId: string;
                user?: string;
                lane: number;
                seq?: number;
                reason: string;
                verdict: components["schemas"]["Verdict"];
                sinceMs: number;
                /** Format: date-time */
                ending?: string;
            }[];
        };
        /** @description What happens to the oldest pending request of a user, and why it waits. */
        Verdict: {
            /** @enum {string} */
            code: "idle" | "draining" | "running" | "next" | "waiting-for-slot" | "between-attempts" | "blocked" | "unresponsive-run" | "no-worker" | "broker-away" | "worker-hung" | "lane-without-owner";
            /** @description The same in a sentence, in English. */
            text: string;
            /** @description The oldest pending request. */
            seq?: number;
            /** @description How long it has been so. Absent for a user that nobody has named before. */
            sinceMs?: number;
            /**
             * Format: date-time
             * @description When the next attempt starts.
             */
            until?: string;
            /**
             * @description It rests on a heartbeat that is late.
             * @constant
             */
            stale?: true;
        };
        /** @description A user: what is pending, what runs, and why it waits. */
        User: {
            userId: string;
            user?: string;
            accepted: number;
            settled: number;
            pending: number;
            oldestPendingAgeMs?: number;
            /** @enum {string} */
            state: "closed" | "open" | "closing";
            lane: number;
            verdict: components["schemas"]["Verdict"];
            error?: components["schemas"]["FullRunError"];
            sessions: number;
            /** @description The worker that owns the lane. */
            owner?: string;
            /** @description Under which the oldest pending request ran last, also while it is blocked or waits. */
            fencingToken?: number;
            running?: {
                seq: number;
                fencingToken?: number;
                /** Format: date-time */
                startedAt?: string;
            };
        };
        UserPage: {
            users: {
                userId: string;
                user?: string;
                lane: number;
                /** @enum {string} */
                state: "closed" | "open" | "closing";
                pending: number;
                /** @description How long nothing has moved. Absent when nothing is pending. */
                waitingMs?: number;
                running?: number;
                verdict: components["schemas"]["Verdict"];
            }[];
            /** @description There may be a next page, also after one without users. */
            next?: string;
        };
        /** @description The state of everything, as heartbeats and sweeps have counted it. */
        Overview: {
            /** Format: date-time */
            at: string;
            /** @description Differs when anything but `at` and ages has changed. */
            version: string;
            /** @description Of `GET /users` and `GET /dead-letters`: when to read them again. */
            changes: {
                /** @description Differs when the answer of the call may have changed. */
                users: string;
                /** @description Differs when the answer of the call may have changed. */
                deadLetters: string;
            };
            /** @description What is wrong, the worst first. Empty while everything works. */
            problems: {
                /** @enum {string} */
                code: "rabbitmq-away" | "no-worker" | "broker-away" | "lanes-without-owner" | "workers-silent" | "unresponsive-runs" | "blocked-users" | "stuck-users" | "dead-letters";
                text: string;
                count?: number;
                ids?: (string | number)[];
            }[];
            lanes: {
                lane: number;
                owner?: string;
                busy: number;
            }[];
            workers: {
                workerId: string;
                /** @enum {string} */
                state: "serving" | "away" | "silent" | "gone";
                lanes: number;
                busy: number;
                unresponsive: number;
                heardMsAgo: number;
                /** Format: date-time */
                heardAt: string;
            }[];
            pending: {
                requests: number;
                users: number;
                stuckUsers: number;
                deadLetters: number;
                countedMsAgo?: number;
                /** Format: date-time */
                countedAt?: string;
            };
            oldestWaitMs: number;
            /**
             * Format: date-time
             * @description What `oldestWaitMs` is counted from.
             */
            waitingSince?: string;
            /** @description The users for whom nothing has moved for longest, and when that was read: their ages are as of then. */
            longestWaits: {
                /** Format: date-time */
                at: string;
                users: {
                    userId: string;
                    user?: string;
                    lane: number;
                    /** @enum {string} */
                    state: "closed" | "open" | "closing";
                    pending: number;
                    /** @description How long nothing has moved. Absent when nothing is pending. */
                    waitingMs?: number;
                    running?: number;
                    verdict: components["schemas"]["Verdict"];
                }[];
            };
            lastHour: {
                started: number;
                done: number;
                failed: number;
                p50?: number;
                p95?: number;
                p99?: number;
                longest?: number;
            };
            minutes: {
                /** Format: date-time */
                at: string;
                started: number;
                done: number;
                failed: number;
                p50?: number;
                p95?: number;
                p99?: number;
                longest?: number;
            }[];
            /**
             * @description During development alone: the console has the page "Try it".
             * @constant
             */
            tryIt?: true;
        };
        /** @description Who owns each lane, and how lanes moved in the last hour. */
        Lanes: {
            /** Format: date-time */
            at: string;
            lanes: {
                lane: number;
                owner?: string;
                busy: number;
                /** Format: date-time */
                since?: string;
                fencingToken?: number;
            }[];
            /** @description Of the last hour, newest first. */
            moves: {
                /** Format: date-time */
                at: string;
                lane: number;
                fencingToken: number;
                from?: string;
                to: string;
            }[];
            /** @description How many older ones of the last hour are left out. */
            moreMoves: number;
        };
        Health: {
            /** @enum {string} */
            status: "ok" | "degraded";
            mongodb: {
                ok: boolean;
                latencyMs: number;
            };
            rabbitmq: {
                ok: boolean;
                latencyMs: number;
            };
        };
        Alive: {
            /** @constant */
            status: "ok";
        };
        Description: {
            openapi: string;
            info: {
                title: string;
                version: string;
            } & {
                [key: string]: unknown;
            };
        } & {
            [key: string]: unknown;
        };
        Enqueue: components["schemas"]["NewRequest"] | components["schemas"]["NewRequests"];
        NewRequest: {
            maxAttempts?: number;
            timeoutMs?: number;
            /** @enum {string} */
            onInterruption?: "rerun" | "dead-letter";
            /** @description Any JSON value of up to 256 KiB. */
            request: unknown;
        };
        NewRequests: {
            requests: components["schemas"]["NewRequestWithKey"][];
        };
        NewRequestWithKey: {
            maxAttempts?: number;
            timeoutMs?: number;
            /** @enum {string} */
            onInterruption?: "rerun" | "dead-letter";
            key?: string & (unknown & unknown);
            /** @description Any JSON value of up to 256 KiB. */
            request: unknown;
        };
        /** @description A request that is recorded and will not be lost. */
        Accepted: {
            seq: number;
            status: components["schemas"]["RequestStatus"];
            position: number;
            retriedAs?: number;
            /** @description The call that runs the request again. */
            retry?: string;
        };
        AcceptedBatch: {
            results: components["schemas"]["Accepted"][];
        };
        /** @description A request with its attempts and, with `include=request`, what was asked for. */
        WholeRequest: {
            /** @description The place of the request in its user's order. */
            seq: number;
            status: components["schemas"]["RequestStatus"];
            /** @description The Idempotency-Key. */
            key?: string;
            /** @description At most so many requests run until this one is done. */
            position?: number;
            attempts: number;
            maxAttempts?: number;
            timeoutMs?: number;
            /** @enum {string} */
            onInterruption?: "rerun" | "dead-letter";
            error?: components["schemas"]["RunError"];
            deadLetter?: {
                /** @enum {string} */
                reason: "failed" | "crashed" | "interrupted" | "ended";
                /** Format: date-time */
                at: string;
            };
            retryOf?: number;
            /** Format: date-time */
            acceptedAt: string;
            /** Format: date-time */
            startedAt?: string;
            /** Format: date-time */
            retryAt?: string;
            /** Format: date-time */
            ending?: string;
            /** Format: date-time */
            settledAt?: string;
            /** @description What the processor returned, as JSON. */
            result?: unknown;
            /** @description The newest attempts, oldest first. */
            attemptLog: components["schemas"]["Attempt"][];
            /** @description What was asked for, with `include=request`. */
            request?: unknown;
        };
        /** @description A run of a request. */
        Attempt: {
            attempt: number;
            /**
             * @description How it ended; absent while it runs.
             * @enum {string}
             */
            outcome?: "done" | "failed" | "crashed" | "interrupted" | "ended" | "aborted";
            error?: components["schemas"]["RunError"];
            /** @description For operators. */
            fencingToken?: number;
            /** @description For operators: the worker that had this token, while the lane remembers it. */
            workerId?: string;
            /** Format: date-time */
            startedAt: string;
            /** Format: date-time */
            endedAt?: string;
        };
        RequestPage: {
            requests: components["schemas"]["Request"][];
            next?: number;
        };
        RequestsToCancel: {
            /** @description These requests. */
            seqs?: number[];
            /**
             * @description All requests that wait.
             * @constant
             */
            all?: true;
            /** @description With `all`: only up to this `seq`; `next` of the answer before. */
            upTo?: number;
        };
        CancelledRequests: components["schemas"]["CancelledItems"] | components["schemas"]["CancelledCount"];
        CancelledItems: {
            results: ({
                seq: number;
                /** @constant */
                result: "cancelled";
            } | {
                seq: number;
                /** @constant */
                result: "refused";
                code: string;
                detail: string;
            })[];
        };
        CancelledCount: {
            cancelled: number;
            next?: number;
        };
        Retried: {
            seq: number;
            status: components["schemas"]["RequestStatus"];
            position: number;
            retriedAs?: number;
            /** @description The call that runs the request again. */
            retry?: string;
            retryOf: number;
        };
        /** @description How far the queue of a user has come. */
        Queue: {
            accepted: number;
            settled: number;
            pending: number;
            oldestPendingAgeMs?: number;
            /** @enum {string} */
            state: "closed" | "open" | "closing";
            lane: number;
            verdict: components["schemas"]["Verdict"];
            /** @description Of the failure after which the user waits. */
            error?: components["schemas"]["RunError"];
        };
        EventPage: {
            events: {
                /** @description What the client knows with this event. */
                id: string;
                /** @enum {string} */
                type: "accepted" | "started" | "attempt-failed" | "blocked" | "queued-again" | "settled";
                request: components["schemas"]["EventRequest"];
            }[];
            /** @description The `after` of the next call. */
            next: string;
            queue: components["schemas"]["EventQueue"];
        };
        /** @description A request as it is now. Fields that do not apply are absent. */
        EventRequest: {
            /** @description The place of the request in its user's order. */
            seq: number;
            status: components["schemas"]["RequestStatus"];
            /** @description The Idempotency-Key. */
            key?: string;
            /** @description At most so many requests run until this one is done. */
            position?: number;
            attempts: number;
            maxAttempts?: number;
            timeoutMs?: number;
            /** @enum {string} */
            onInterruption?: "rerun" | "dead-letter";
            error?: components["schemas"]["RunError"];
            deadLetter?: {
                /** @enum {string} */
                reason: "failed" | "crashed" | "interrupted" | "ended";
                /** Format: date-time */
                at: string;
            };
            retryOf?: number;
            /** Format: date-time */
            acceptedAt: string;
            /** Format: date-time */
            startedAt?: string;
            /** Format: date-time */
            retryAt?: string;
            /** Format: date-time */
            ending?: string;
            /** Format: date-time */
            settledAt?: string;
            /** @description What the processor returned, as JSON. */
            result?: unknown;
            /** @description Where the result is, which has more than 16 KiB. */
            resultUrl?: string;
        };
        EventQueue: {
            accepted: number;
            settled: number;
            pending: number;
            /** @enum {string} */
            state: "closed" | "open" | "closing";
            /** @description Of the one request that is followed, while it is not settled. */
            position?: number;
        };
        StreamToken: {
            token: string;
            expiresInSeconds: number;
        };
        Disconnected: {
            /** @enum {string} */
            queue: "connected" | "draining" | "closed";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "username": "ada",
                 *       "password": "correct horse"
                 *     }
                 */
                "application/json": components["schemas"]["NewAccount"];
            };
        };
        responses: {
            /** @description The account. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "userId": "6b0a4249c864da9b4ba6bea4",
                     *       "username": "ada"
                     *     }
                     */
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description `invalid-json`, `invalid-request`, `weak-password` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-request" | "weak-password";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `invalid-invite`, `registration-closed` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "invalid-invite" | "registration-closed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `username-taken` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "username-taken";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-calls` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "too-many-calls";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "username": "ada",
                 *       "password": "correct horse"
                 *     }
                 */
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description The token, and its lifetime in seconds. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...",
                     *       "expiresIn": 3600
                     *     }
                     */
                    "application/json": components["schemas"]["Login"];
                };
            };
            /** @description `invalid-json`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `invalid-credentials` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "invalid-credentials";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `login-delayed`, `too-many-calls` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "login-delayed" | "too-many-calls";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    endSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many sessions were ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ended": 2
                     *     }
                     */
                    "application/json": components["schemas"]["EndedSessions"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    listDeadLetters: {
        parameters: {
            query?: {
                user?: string;
                userId?: string;
                /** @description Only those with this reason. */
                reason?: "failed" | "crashed" | "interrupted" | "ended";
                after?: string;
                /** @description The most items on the page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. `next` is there when more may follow. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deadLetters": [
                     *         {
                     *           "userId": "6b0a4249c864da9b4ba6bea4",
                     *           "user": "ada",
                     *           "seq": 5,
                     *           "status": "failed",
                     *           "reason": "failed",
                     *           "attempts": 1,
                     *           "error": {
                     *             "name": "UnrecoverableError",
                     *             "message": "amount is missing"
                     *           },
                     *           "at": "2026-11-28T02:54:01.791Z",
                     *           "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *           "request": {
                     *             "to": "grace"
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["DeadLetterPage"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    retryDeadLetters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "items": [
                 *         {
                 *           "user": "ada",
                 *           "seq": 5
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["Selection"];
            };
        };
        responses: {
            /** @description What became of each item, or counts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "results": [
                     *         {
                     *           "userId": "6b0a4249c864da9b4ba6bea4",
                     *           "seq": 5,
                     *           "result": "retried",
                     *           "retriedAs": 6
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["RetriedDeadLetters"];
                };
            };
            /** @description `invalid-json`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    dropDeadLetters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "items": [
                 *         {
                 *           "user": "ada",
                 *           "seq": 5
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["Selection"];
            };
        };
        responses: {
            /** @description What became of each item, or counts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "decided": 1,
                     *       "refused": 0,
                     *       "refusedBy": {}
                     *     }
                     */
                    "application/json": components["schemas"]["DroppedDeadLetters"];
                };
            };
            /** @description `invalid-json`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    endRun: {
        parameters: {
            query?: {
                /** @description How many seconds to wait. */
                wait?: number;
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request, which is settled. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 2,
                     *       "status": "failed",
                     *       "attempts": 5,
                     *       "error": {
                     *         "name": "Error",
                     *         "message": "The run failed."
                     *       },
                     *       "deadLetter": {
                     *         "reason": "failed",
                     *         "at": "2026-11-28T02:54:01.791Z"
                     *       },
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "startedAt": "2026-11-28T02:54:01.712Z",
                     *       "settledAt": "2026-11-28T02:54:01.791Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description The request, whose run goes on. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 6,
                     *       "status": "processing",
                     *       "position": 1,
                     *       "attempts": 1,
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "startedAt": "2026-11-28T02:54:01.712Z",
                     *       "ending": "2026-11-28T02:54:01.791Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found`, `request-not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found" | "request-not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user`, `not-running` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user" | "not-running";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded`, `too-many-polls` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded" | "too-many-polls";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    listStuckUsers: {
        parameters: {
            query?: {
                /** @description The most items on the page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The users, the longest stuck first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "stuck": [
                     *         {
                     *           "userId": "6b0a4249c864da9b4ba6bea4",
                     *           "user": "ada",
                     *           "lane": 2,
                     *           "seq": 6,
                     *           "reason": "blocked",
                     *           "sinceMs": 86120,
                     *           "verdict": {
                     *             "code": "blocked",
                     *             "seq": 6,
                     *             "sinceMs": 86120,
                     *             "text": "Waits because request 6 is blocked: somebody must retry or skip it."
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["StuckUsers"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getUser: {
        parameters: {
            query?: {
                /** @description Calls as an operator: `ref` names any user. */
                as?: "operator";
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "userId": "6b0a4249c864da9b4ba6bea4",
                     *       "user": "ada",
                     *       "accepted": 4,
                     *       "settled": 2,
                     *       "pending": 2,
                     *       "oldestPendingAgeMs": 77,
                     *       "state": "open",
                     *       "lane": 2,
                     *       "verdict": {
                     *         "code": "running",
                     *         "text": "Request 3 runs.",
                     *         "seq": 3,
                     *         "sinceMs": 41
                     *       },
                     *       "sessions": 1,
                     *       "owner": "5f1c0c7ae04b91d2",
                     *       "fencingToken": 12,
                     *       "running": {
                     *         "seq": 3,
                     *         "fencingToken": 12,
                     *         "startedAt": "2026-11-28T02:54:01.712Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description `waiting`: who has something pending. `all`: also who is idle or away. */
                show?: "waiting" | "all";
                /** @description Only users with this verdict; several with commas between them. */
                verdict?: string;
                lane?: number;
                /** @description Only users whose name or reference begins with this. */
                name?: string;
                after?: string;
                /** @description The most items on the page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of users. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "users": [
                     *         {
                     *           "userId": "6b0a4249c864da9b4ba6bea4",
                     *           "user": "ada",
                     *           "lane": 2,
                     *           "state": "open",
                     *           "pending": 3,
                     *           "waitingMs": 86120,
                     *           "verdict": {
                     *             "code": "blocked",
                     *             "seq": 6,
                     *             "sinceMs": 86120,
                     *             "text": "Waits because request 6 is blocked: somebody must retry or skip it."
                     *           }
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["UserPage"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getOverview: {
        parameters: {
            query?: {
                /** @description How many seconds to wait. */
                wait?: number;
                /** @description The `version` that the client has: with `wait`, the call waits for another one. */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The overview, at most a second old. With `Accept: text/event-stream` a stream of it, where the server can send one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "at": "2026-11-28T02:54:01.712Z",
                     *       "version": "3q2-7wA9cV1kZ0bD",
                     *       "changes": {
                     *         "users": "c0FfeePz1m3Lq9Xa",
                     *         "deadLetters": "mV8s2kQe7_RtY4uJ"
                     *       },
                     *       "problems": [
                     *         {
                     *           "code": "blocked-users",
                     *           "text": "One user is blocked: somebody must decide.",
                     *           "count": 1
                     *         }
                     *       ],
                     *       "lanes": [
                     *         {
                     *           "lane": 0,
                     *           "owner": "5f1c0c7ae04b91d2",
                     *           "busy": 1
                     *         }
                     *       ],
                     *       "workers": [
                     *         {
                     *           "workerId": "5f1c0c7ae04b91d2",
                     *           "state": "serving",
                     *           "lanes": 1,
                     *           "busy": 1,
                     *           "unresponsive": 0,
                     *           "heardMsAgo": 310,
                     *           "heardAt": "2026-11-28T02:54:01.712Z"
                     *         }
                     *       ],
                     *       "pending": {
                     *         "requests": 3,
                     *         "users": 1,
                     *         "stuckUsers": 1,
                     *         "deadLetters": 1,
                     *         "countedMsAgo": 2100,
                     *         "countedAt": "2026-11-28T02:54:01.669Z"
                     *       },
                     *       "oldestWaitMs": 0,
                     *       "longestWaits": {
                     *         "at": "2026-11-28T02:54:01.712Z",
                     *         "users": [
                     *           {
                     *             "userId": "6b0a4249c864da9b4ba6bea4",
                     *             "user": "ada",
                     *             "lane": 0,
                     *             "state": "open",
                     *             "pending": 3,
                     *             "waitingMs": 86120,
                     *             "verdict": {
                     *               "code": "blocked",
                     *               "seq": 6,
                     *               "sinceMs": 86120,
                     *               "text": "Waits because request 6 is blocked: somebody must retry or skip it."
                     *             }
                     *           }
                     *         ]
                     *       },
                     *       "lastHour": {
                     *         "started": 41,
                     *         "done": 39,
                     *         "failed": 1,
                     *         "p50": 2,
                     *         "p95": 10,
                     *         "p99": 20,
                     *         "longest": 50
                     *       },
                     *       "minutes": [
                     *         {
                     *           "at": "2026-11-28T02:54:00.000Z",
                     *           "started": 41,
                     *           "done": 39,
                     *           "failed": 1,
                     *           "p50": 2,
                     *           "p95": 10,
                     *           "p99": 20,
                     *           "longest": 50
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Overview"];
                    /**
                     * @example retry: 1000
                     *
                     *     id: 3q2-7wA9cV1kZ0bD
                     *     event: overview
                     *     data: {"at":"2026-11-28T02:54:01.712Z"}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded`, `too-many-streams` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded" | "too-many-streams";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getLanes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lanes and their moves, at most a second old. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "at": "2026-11-28T02:54:01.712Z",
                     *       "lanes": [
                     *         {
                     *           "lane": 0,
                     *           "owner": "5f1c0c7ae04b91d2",
                     *           "busy": 1,
                     *           "since": "2026-11-28T02:54:01.669Z",
                     *           "fencingToken": 4
                     *         }
                     *       ],
                     *       "moves": [
                     *         {
                     *           "at": "2026-11-28T02:54:01.669Z",
                     *           "lane": 0,
                     *           "fencingToken": 4,
                     *           "from": "b06ad1f2470c9e35",
                     *           "to": "5f1c0c7ae04b91d2"
                     *         }
                     *       ],
                     *       "moreMoves": 0
                     *     }
                     */
                    "application/json": components["schemas"]["Lanes"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Both servers answer. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "mongodb": {
                     *         "ok": true,
                     *         "latencyMs": 3
                     *       },
                     *       "rabbitmq": {
                     *         "ok": true,
                     *         "latencyMs": 3
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description A server does not answer, or an index is missing. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "degraded",
                     *       "mongodb": {
                     *         "ok": true,
                     *         "latencyMs": 3
                     *       },
                     *       "rabbitmq": {
                     *         "ok": false,
                     *         "latencyMs": 2000
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Health"];
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    "application/json": components["schemas"]["Alive"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getDescription: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "openapi": "3.1.1",
                     *       "info": {
                     *         "title": "Lanekeeper",
                     *         "version": "1.0.0"
                     *       },
                     *       "paths": {}
                     *     }
                     */
                    "application/json": components["schemas"]["Description"];
                };
            };
            /** @description `If-None-Match` has its ETag. */
            304: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getReferencePage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description HTML. */
            200: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description `If-None-Match` has its ETag. */
            304: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getReferenceScript: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description JavaScript. */
            200: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript": string;
                };
            };
            /** @description `If-None-Match` has its ETag. */
            304: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getConsole: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description HTML. */
            200: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description `If-None-Match` has its ETag. */
            304: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getConsoleScript: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description JavaScript. */
            200: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript": string;
                };
            };
            /** @description `If-None-Match` has its ETag. */
            304: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getConsoleStyle: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description CSS. */
            200: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/css": string;
                };
            };
            /** @description `If-None-Match` has its ETag. */
            304: {
                headers: {
                    /** @description For `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    preflight: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Any path. */
                path: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The headers say so. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    enqueue: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is accepted once. */
                "Idempotency-Key"?: string;
                /** @description W3C trace context: the runs belong to this trace. */
                traceparent?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "request": {
                 *         "amount": 5
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["Enqueue"];
            };
        };
        responses: {
            /** @description The request, or each of them, is recorded. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 1,
                     *       "status": "queued",
                     *       "position": 1
                     *     }
                     */
                    "application/json": components["schemas"]["Accepted"] | components["schemas"]["AcceptedBatch"];
                };
            };
            /** @description `invalid-json`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 422;
                        /** @enum {unknown} */
                        code?: "idempotency-key-reused";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `enqueue-rate-exceeded`, `too-many-pending` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "enqueue-rate-exceeded" | "too-many-pending";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `not-recorded-in-time`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "not-recorded-in-time" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    enqueueForUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request is accepted once. */
                "Idempotency-Key"?: string;
                /** @description W3C trace context: the runs belong to this trace. */
                traceparent?: string;
            };
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "request": {
                 *         "amount": 5
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["Enqueue"];
            };
        };
        responses: {
            /** @description The request, or each of them, is recorded. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 1,
                     *       "status": "queued",
                     *       "position": 1
                     *     }
                     */
                    "application/json": components["schemas"]["Accepted"] | components["schemas"]["AcceptedBatch"];
                };
            };
            /** @description `invalid-json`, `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-key-reused` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 422;
                        /** @enum {unknown} */
                        code?: "idempotency-key-reused";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `enqueue-rate-exceeded`, `key-rate-exceeded`, `too-many-pending` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "enqueue-rate-exceeded" | "key-rate-exceeded" | "too-many-pending";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `not-recorded-in-time`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "not-recorded-in-time" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getRequest: {
        parameters: {
            query?: {
                /** @description How many seconds to wait. */
                wait?: number;
                /** @description With what was asked for, as `request`. */
                include?: "request";
            };
            header?: never;
            path: {
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 1,
                     *       "status": "done",
                     *       "attempts": 1,
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "startedAt": "2026-11-28T02:54:01.712Z",
                     *       "settledAt": "2026-11-28T02:54:01.725Z",
                     *       "result": "Your Message",
                     *       "attemptLog": [
                     *         {
                     *           "attempt": 1,
                     *           "outcome": "done",
                     *           "startedAt": "2026-11-28T02:54:01.712Z",
                     *           "endedAt": "2026-11-28T02:54:01.725Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["WholeRequest"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found`, `request-not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found" | "request-not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-polls` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "too-many-polls";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request, which is `cancelled`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 4,
                     *       "status": "cancelled",
                     *       "attempts": 0,
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "settledAt": "2026-11-28T02:54:01.725Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found`, `request-not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found" | "request-not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-cancellable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "not-cancellable";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getRequestOfUser: {
        parameters: {
            query?: {
                /** @description Calls as an operator: `ref` names any user. */
                as?: "operator";
                /** @description How many seconds to wait. */
                wait?: number;
                /** @description With what was asked for, as `request`. */
                include?: "request";
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 1,
                     *       "status": "done",
                     *       "attempts": 1,
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "startedAt": "2026-11-28T02:54:01.712Z",
                     *       "settledAt": "2026-11-28T02:54:01.725Z",
                     *       "result": "Your Message",
                     *       "attemptLog": [
                     *         {
                     *           "attempt": 1,
                     *           "outcome": "done",
                     *           "startedAt": "2026-11-28T02:54:01.712Z",
                     *           "endedAt": "2026-11-28T02:54:01.725Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["WholeRequest"];
                };
            };
            /** @description `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found`, `request-not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found" | "request-not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded`, `too-many-polls` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded" | "too-many-polls";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelRequestOfUser: {
        parameters: {
            query?: {
                /** @description Calls as an operator: `ref` names any user. */
                as?: "operator";
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request, which is `cancelled`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 4,
                     *       "status": "cancelled",
                     *       "attempts": 0,
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "settledAt": "2026-11-28T02:54:01.725Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found`, `request-not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found" | "request-not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user`, `not-cancellable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user" | "not-cancellable";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    listRequests: {
        parameters: {
            query?: {
                /** @description Only requests with this status. */
                status?: "queued" | "processing" | "blocked" | "done" | "failed" | "cancelled" | "abandoned";
                /** @description Only requests with a higher `seq`: the `next` of the page before. */
                after?: number;
                /** @description The most items on the page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. `next` is there when more may follow. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "requests": [
                     *         {
                     *           "seq": 2,
                     *           "status": "failed",
                     *           "attempts": 5,
                     *           "error": {
                     *             "name": "Error",
                     *             "message": "The run failed."
                     *           },
                     *           "deadLetter": {
                     *             "reason": "failed",
                     *             "at": "2026-11-28T02:54:01.791Z"
                     *           },
                     *           "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *           "startedAt": "2026-11-28T02:54:01.712Z",
                     *           "settledAt": "2026-11-28T02:54:01.791Z"
                     *         }
                     *       ],
                     *       "next": 2
                     *     }
                     */
                    "application/json": components["schemas"]["RequestPage"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    listRequestsOfUser: {
        parameters: {
            query?: {
                /** @description Calls as an operator: `ref` names any user. */
                as?: "operator";
                /** @description Only requests with this status. */
                status?: "queued" | "processing" | "blocked" | "done" | "failed" | "cancelled" | "abandoned";
                /** @description Only requests with a higher `seq`: the `next` of the page before. */
                after?: number;
                /** @description The most items on the page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. `next` is there when more may follow. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "requests": [
                     *         {
                     *           "seq": 2,
                     *           "status": "failed",
                     *           "attempts": 5,
                     *           "error": {
                     *             "name": "Error",
                     *             "message": "The run failed."
                     *           },
                     *           "deadLetter": {
                     *             "reason": "failed",
                     *             "at": "2026-11-28T02:54:01.791Z"
                     *           },
                     *           "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *           "startedAt": "2026-11-28T02:54:01.712Z",
                     *           "settledAt": "2026-11-28T02:54:01.791Z"
                     *         }
                     *       ],
                     *       "next": 2
                     *     }
                     */
                    "application/json": components["schemas"]["RequestPage"];
                };
            };
            /** @description `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelRequests: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "all": true
                 *     }
                 */
                "application/json": components["schemas"]["RequestsToCancel"];
            };
        };
        responses: {
            /** @description What became of each listed request, or how many were cancelled. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "cancelled": 4
                     *     }
                     */
                    "application/json": components["schemas"]["CancelledRequests"];
                };
            };
            /** @description `invalid-json`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelRequestsOfUser: {
        parameters: {
            query?: {
                /** @description Calls as an operator: `ref` names any user. */
                as?: "operator";
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "all": true
                 *     }
                 */
                "application/json": components["schemas"]["RequestsToCancel"];
            };
        };
        responses: {
            /** @description What became of each listed request, or how many were cancelled. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "cancelled": 4
                     *     }
                     */
                    "application/json": components["schemas"]["CancelledRequests"];
                };
            };
            /** @description `invalid-json`, `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    retryRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request, which runs again in its place. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 1,
                     *       "status": "queued",
                     *       "position": 1,
                     *       "attempts": 5,
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "startedAt": "2026-11-28T02:54:01.712Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description The request had failed: it is accepted again at the end of the queue. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 5,
                     *       "status": "queued",
                     *       "position": 1,
                     *       "retryOf": 2
                     *     }
                     */
                    "application/json": components["schemas"]["Retried"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found`, `request-not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found" | "request-not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-retryable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "not-retryable";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `enqueue-rate-exceeded`, `too-many-pending` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "enqueue-rate-exceeded" | "too-many-pending";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `not-recorded-in-time`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "not-recorded-in-time" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    retryRequestOfUser: {
        parameters: {
            query?: {
                /** @description Calls as an operator: `ref` names any user. */
                as?: "operator";
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request, which runs again in its place. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 1,
                     *       "status": "queued",
                     *       "position": 1,
                     *       "attempts": 5,
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "startedAt": "2026-11-28T02:54:01.712Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description The request had failed: it is accepted again at the end of the queue. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 5,
                     *       "status": "queued",
                     *       "position": 1,
                     *       "retryOf": 2
                     *     }
                     */
                    "application/json": components["schemas"]["Retried"];
                };
            };
            /** @description `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found`, `request-not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found" | "request-not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user`, `not-retryable` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user" | "not-retryable";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `enqueue-rate-exceeded`, `key-rate-exceeded`, `too-many-pending` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "enqueue-rate-exceeded" | "key-rate-exceeded" | "too-many-pending";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `not-recorded-in-time`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "not-recorded-in-time" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    skipRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request, which is `failed`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 2,
                     *       "status": "failed",
                     *       "attempts": 5,
                     *       "error": {
                     *         "name": "Error",
                     *         "message": "The run failed."
                     *       },
                     *       "deadLetter": {
                     *         "reason": "failed",
                     *         "at": "2026-11-28T02:54:01.791Z"
                     *       },
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "startedAt": "2026-11-28T02:54:01.712Z",
                     *       "settledAt": "2026-11-28T02:54:01.791Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found`, `request-not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found" | "request-not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-blocked` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "not-blocked";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    skipRequestOfUser: {
        parameters: {
            query?: {
                /** @description Calls as an operator: `ref` names any user. */
                as?: "operator";
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request, which is `failed`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "seq": 2,
                     *       "status": "failed",
                     *       "attempts": 5,
                     *       "error": {
                     *         "name": "Error",
                     *         "message": "The run failed."
                     *       },
                     *       "deadLetter": {
                     *         "reason": "failed",
                     *         "at": "2026-11-28T02:54:01.791Z"
                     *       },
                     *       "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *       "startedAt": "2026-11-28T02:54:01.712Z",
                     *       "settledAt": "2026-11-28T02:54:01.791Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Request"];
                };
            };
            /** @description `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found`, `request-not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found" | "request-not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user`, `not-blocked` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user" | "not-blocked";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getQueue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The queue. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accepted": 4,
                     *       "settled": 2,
                     *       "pending": 2,
                     *       "oldestPendingAgeMs": 77,
                     *       "state": "open",
                     *       "lane": 2,
                     *       "verdict": {
                     *         "code": "running",
                     *         "text": "Request 3 runs.",
                     *         "seq": 3,
                     *         "sinceMs": 41
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getQueueOfUser: {
        parameters: {
            query?: {
                /** @description Calls as an operator: `ref` names any user. */
                as?: "operator";
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The queue. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accepted": 4,
                     *       "settled": 2,
                     *       "pending": 2,
                     *       "oldestPendingAgeMs": 77,
                     *       "state": "open",
                     *       "lane": 2,
                     *       "verdict": {
                     *         "code": "running",
                     *         "text": "Request 3 runs.",
                     *         "seq": 3,
                     *         "sinceMs": 41
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Queue"];
                };
            };
            /** @description `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getEvents: {
        parameters: {
            query?: {
                /** @description How many seconds to wait. */
                wait?: number;
                /** @description What the client knows: the id of the last event, or the number of a request up to which all are settled; 0 tells everything again. */
                after?: string;
                /** @description Only this request. */
                seq?: number;
                /** @description A token of `POST /stream-token`, for an `EventSource`. */
                token?: string;
            };
            header?: {
                /** @description As `after`, which it replaces. An `EventSource` sends it by itself. */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the client does not know yet. With `Accept: text/event-stream` a stream that goes on, where the server can send one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "events": [
                     *         {
                     *           "id": "1",
                     *           "type": "settled",
                     *           "request": {
                     *             "seq": 1,
                     *             "status": "done",
                     *             "attempts": 1,
                     *             "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *             "startedAt": "2026-11-28T02:54:01.712Z",
                     *             "settledAt": "2026-11-28T02:54:01.725Z",
                     *             "result": "Your Message"
                     *           }
                     *         }
                     *       ],
                     *       "next": "1",
                     *       "queue": {
                     *         "accepted": 1,
                     *         "settled": 1,
                     *         "pending": 0,
                     *         "state": "open"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["EventPage"];
                    /**
                     * @example retry: 1000
                     *
                     *     id: 1
                     *     event: settled
                     *     data: {"request":{"seq":1,"status":"done"}}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-streams` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "too-many-streams";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    getEventsOfUser: {
        parameters: {
            query?: {
                /** @description Calls as an operator: `ref` names any user. */
                as?: "operator";
                /** @description How many seconds to wait. */
                wait?: number;
                /** @description What the client knows: the id of the last event, or the number of a request up to which all are settled; 0 tells everything again. */
                after?: string;
                /** @description Only this request. */
                seq?: number;
                /** @description A token of `POST /stream-token`, for an `EventSource`. */
                token?: string;
            };
            header?: {
                /** @description As `after`, which it replaces. An `EventSource` sends it by itself. */
                "Last-Event-ID"?: string;
            };
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the client does not know yet. With `Accept: text/event-stream` a stream that goes on, where the server can send one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "events": [
                     *         {
                     *           "id": "1",
                     *           "type": "settled",
                     *           "request": {
                     *             "seq": 1,
                     *             "status": "done",
                     *             "attempts": 1,
                     *             "acceptedAt": "2026-11-28T02:54:01.669Z",
                     *             "startedAt": "2026-11-28T02:54:01.712Z",
                     *             "settledAt": "2026-11-28T02:54:01.725Z",
                     *             "result": "Your Message"
                     *           }
                     *         }
                     *       ],
                     *       "next": "1",
                     *       "queue": {
                     *         "accepted": 1,
                     *         "settled": 1,
                     *         "pending": 0,
                     *         "state": "open"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["EventPage"];
                    /**
                     * @example retry: 1000
                     *
                     *     id: 1
                     *     event: settled
                     *     data: {"request":{"seq":1,"status":"done"}}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required`, `not-an-operator` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required" | "not-an-operator";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `no-such-user`, `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "no-such-user" | "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `ambiguous-user` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 409;
                        /** @enum {unknown} */
                        code?: "ambiguous-user";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded`, `too-many-streams` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded" | "too-many-streams";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    createStreamToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token, and for how many seconds a client may connect with it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...",
                     *       "expiresInSeconds": 60
                     *     }
                     */
                    "application/json": components["schemas"]["StreamToken"];
                };
            };
            /** @description `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    createStreamTokenForUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token, and for how many seconds a client may connect with it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...",
                     *       "expiresInSeconds": 60
                     *     }
                     */
                    "application/json": components["schemas"]["StreamToken"];
                };
            };
            /** @description `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    disconnect: {
        parameters: {
            query?: {
                /** @description How many seconds to wait. */
                wait?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "pending": "drain"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What happens to waiting requests when the last session ends.
                     * @default drain
                     * @enum {string}
                     */
                    pending?: "drain" | "cancel";
                };
            };
        };
        responses: {
            /** @description The state of the queue. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "queue": "closed"
                     *     }
                     */
                    "application/json": components["schemas"]["Disconnected"];
                };
            };
            /** @description `invalid-json`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-accepted` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "key-not-accepted";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `too-many-polls` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "too-many-polls";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
    disconnectUser: {
        parameters: {
            query?: {
                /** @description How many seconds to wait. */
                wait?: number;
            };
            header?: never;
            path: {
                /** @description The reference of the user, percent-encoded. */
                ref: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "pending": "drain"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What happens to waiting requests when the last session ends.
                     * @default drain
                     * @enum {string}
                     */
                    pending?: "drain" | "cancel";
                };
            };
        };
        responses: {
            /** @description The state of the queue. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "queue": "closed"
                     *     }
                     */
                    "application/json": components["schemas"]["Disconnected"];
                };
            };
            /** @description `invalid-json`, `invalid-reference`, `invalid-request` */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 400;
                        /** @enum {unknown} */
                        code?: "invalid-json" | "invalid-reference" | "invalid-request";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `expired-token`, `invalid-key`, `invalid-token`, `missing-token`, `session-ended` */
            401: {
                headers: {
                    /** @description Always `Bearer`. */
                    "WWW-Authenticate"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 401;
                        /** @enum {unknown} */
                        code?: "expired-token" | "invalid-key" | "invalid-token" | "missing-token" | "session-ended";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `insufficient-scope`, `key-required` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 403;
                        /** @enum {unknown} */
                        code?: "insufficient-scope" | "key-required";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `not-found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 404;
                        /** @enum {unknown} */
                        code?: "not-found";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `method-not-allowed` */
            405: {
                headers: {
                    /** @description The methods that the path has. */
                    Allow?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 405;
                        /** @enum {unknown} */
                        code?: "method-not-allowed";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `request-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 413;
                        /** @enum {unknown} */
                        code?: "request-too-large";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported-charset`, `unsupported-encoding` */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 415;
                        /** @enum {unknown} */
                        code?: "unsupported-charset" | "unsupported-encoding";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `key-rate-exceeded`, `too-many-polls` */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 429;
                        /** @enum {unknown} */
                        code?: "key-rate-exceeded" | "too-many-polls";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description The path, the query and the headers together have more than 16 KiB. Without a body. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad-config`, `bad-event`, `internal-error` */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 500;
                        /** @enum {unknown} */
                        code?: "bad-config" | "bad-event" | "internal-error";
                    } & components["schemas"]["Problem"];
                };
            };
            /** @description `broker-unavailable`, `busy`, `draining`, `not-migrated`, `secret-unavailable`, `store-unavailable` */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": {
                        /** @constant */
                        status?: 503;
                        /** @enum {unknown} */
                        code?: "broker-unavailable" | "busy" | "draining" | "not-migrated" | "secret-unavailable" | "store-unavailable";
                    } & components["schemas"]["Problem"];
                };
            };
        };
    };
}
