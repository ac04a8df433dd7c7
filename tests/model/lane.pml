/*
 * The lane protocol: one user of one lane. Promela, for spin 6.5. README.md says how to read, run and break it.
 *
 * The model follows docs/protocol.md. Every operation on MongoDB or RabbitMQ is one step (`d_step`), named after the port in
 * lib/ports.ts that it stands for. Between any two steps of a process, every other process may take any number of steps,
 * and the process may die. [R1] to [R12] and [R14] to [R16] are rules of the protocol. BREAK_R1 and so on each remove one. Every other
 * BREAK removes a part of a rule, or a step that has no number.
 *
 * What the functions do:
 *   ENQUEUE=n        one client sends n requests, one after the other
 *   ENQUEUE_TWICE    a second client sends one request at the same time
 *   SAME_KEY         the first requests of both clients carry the same Idempotency-Key
 *   DISCONNECT       the session disconnects at any time
 *   CANCEL_PENDING   the disconnect cancels what is queued
 *   RELOGIN          a second session logs in, enqueues and disconnects at any time
 *   CONNECT          with RELOGIN: the second session is a connection of the first, which does not keep the queue open any more
 *   GROUP_COMMIT     a ticket is two steps, the update and the read of its outcome, which may be gone by then, once for each request
 *   IDLE_CLOSE       the owner also closes the user queue of a connected user that is drained
 *
 *   END              an operator ends one run, any one; it may ignore its signal, so that its worker retires
 *
 * What becomes of an interrupted request, besides its next run:
 *   REQUEUE          it may be queued again, because it waits for a slot
 *   ONCE             no request may run twice: an interrupted one is given up, as failed or as blocked
 *
 * Faults: FAULTS=n allows n faults in total, of the kinds
 *   WORKER_DIES FUNCTION_DIES BROKER_SILENT BROKER_WIPED BROKER_RESTARTED HAND_OVER QUEUE_DELETED CUT_OFF EARLY_SWEEP
 *   TAKEN_AWAY       a worker deletes the lane of another one that seems to stand still; late, it may be any owner's
 *   LEND             a lane is handed over while a run goes on
 *   GIVE_UP          a lane is given up around a run, whose outcome comes late
 *   RUN_FAILS        a run fails: its request waits for its next attempt or for a person, who may decide about it
 *   QUEUE_REFUSED    the broker refuses the user queue, temporarily or permanently: nobody can declare, consume or delete it
 *   BEYOND_CAP       there is no room for the user's queue: the owner does without it, until there is room again
 *   DEATH_SEEN_LATE  the broker drops a dead worker's two kinds of consumers one after the other, in any order
 *
 * SWEEPS=n (default 4): after this many sweeps, everything must be settled and closed.
 */
#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef FAULTS
#define FAULTS 0
#endif
#ifndef SWEEPS
#define SWEEPS 4
#endif

/* ------------------------------------------------------------------------------------------------ MongoDB */

#define CLOSED 0
#define OPEN 1
#define CLOSING 2
byte state = CLOSED;                 /* userQueues: the one user's document */
byte accepted = 0;
byte settled = 0;
bit queueRefused = 0;                /* the owner has no user queue: functions wake the lane [R10, R15] */
byte lentSeq = 0, lentToken = 0;     /* the request that still runs at the worker that handed the lane over [R11] */
bit session[2];
#ifdef CONNECT
/* The login, session 0, has opened a connection, session 1: it enqueues, and does not keep the user queue open any more. */
bit leaves;
#define NO_SESSION ((!session[0] || leaves) && !session[1])
#else
#define NO_SESSION (!session[0] && !session[1])
#endif
#ifdef BREAK_KEEPS
#define OWNER_NO_SESSION (!session[0] && !session[1])
#else
#define OWNER_NO_SESSION NO_SESSION
#endif

#define MISSING 0
#define QUEUED 1
#define PROCESSING 2
#define BACK_OFF 3                   /* `processing` with `retryAt`, which is near */
#define LONG_BACK_OFF 4              /* the same, but only a person ends it in time */
#define BLOCKED 5
#define DONE 6
#define ABANDONED 7                  /* a tombstone */
#define CANCELLED 8
#define FAILED 9
byte status[REQUESTS + 1];           /* requests, the ledger: by seq, from 1 */
byte token[REQUESTS + 1];
byte key[REQUESTS + 1];
#define IS_SETTLED(seq) (status[seq] >= DONE)
#define WAITS(seq) (status[seq] == BACK_OFF || status[seq] == LONG_BACK_OFF || status[seq] == BLOCKED)

#ifdef END
byte endAsked = 0;                   /* by bit: the entry has `endRequestedAt` */
#define IS_ENDED(seq) (endAsked & (1 << seq))
#else
#define IS_ENDED(seq) false
#endif

byte lease = 0;                      /* lanes: the one lane's document */

/* ----------------------------------------------------------------------------------------------- RabbitMQ */

#define AT_MOST_2(n) ((n) > 2 -> 2 : (n))
bit laneExists = 0;                  /* lane.<n>, single active consumer */
byte batons = 0, wakes = 0;          /* ready to be delivered */
byte laneOwner = 0;                  /* the active consumer: worker + 1 */
bit standsBy[2];                     /* the worker has a consumer of the lane */
byte heldBatons[2], heldWakes[2];    /* unacknowledged */

bit userQueueExists = 0;             /* user.<userId> */
byte messages = 0;                   /* bit seq: its message lies ready */
bit consumes[2];                     /* the worker has a consumer of the user queue */
#define FOR_NOW 1
#define FOREVER 2
byte refuses = 0;                    /* the broker refuses the user queue: 0, FOR_NOW or FOREVER */

/* The consumers and messages of a dead worker that the broker has not dropped yet (DEATH_SEEN_LATE). */
bit laneGhost[2], userGhost[2];
byte ghostBatons[2], ghostWakes[2];

inline closeLaneConsumer(x) {
  if
  :: laneExists -> batons = AT_MOST_2(batons + heldBatons[x]); wakes = AT_MOST_2(wakes + heldWakes[x])
  :: else
  fi;
  heldBatons[x] = 0; heldWakes[x] = 0; standsBy[x] = 0;
  if
  :: laneOwner == x + 1 -> laneOwner = ((standsBy[1-x] || laneGhost[1-x]) -> 2 - x : 0)
  :: else
  fi
}
inline closeChannel(x) { closeLaneConsumer(x); consumes[x] = 0 }
inline dropUserQueue() {
  userQueueExists = 0; messages = 0; consumes[0] = 0; consumes[1] = 0; userGhost[0] = 0; userGhost[1] = 0
}
/* Publisher.publishWake. A lane that does not exist has no owner; the worker that declares it loads all its users. */
inline publishWake() { if :: laneExists -> wakes = AT_MOST_2(wakes + 1) :: else fi }

/* -------------------------------------------- what only the model knows: records for the assertions, and the faults */

bit saw202[REQUESTS + 1];            /* a client received the 202 for this seq */
byte keyAnswer = 0;                  /* the seq that clients received for the shared key */
byte running[2];                     /* the seq that the worker's processor runs, or 0 */
byte highestToken = 0;               /* the highest token of all claims so far */
#ifdef ONCE
byte ran = 0, mayRepeat = 0;         /* bit seq: it has run; a person has decided that it runs again */
#endif
byte sweeps = 0;
bit sweepExcused = 0;                /* a function died or could not publish, so a request may wait for the sweep */
byte faults = FAULTS;
bit wiped = 0;
bit cutOff[2];                       /* the worker is alive and does not know that it is cut off from the broker */
bit everCutOff = 0;
bit offersLate = 0;                  /* a worker that has given the lane up may still record what its run came to */
bit dead[2];
byte lender = 0;                     /* worker + 1 that last lent a request out; 0 once its heartbeat has stopped */
bit lending[2];                      /* the worker is inside a run of a lane that it has handed over */
bit loanBroken = 0;                  /* a worker that was cut off has taken a request over that another one runs */
bit begun = 0;
hidden byte i_, found_;              /* scratch inside a step */

/* ------------------------------------------------------------- functions: lib/requests/accept.ts, disconnect.ts */

#ifdef FUNCTION_DIES
#define DIES :: d_step { faults > 0 -> faults--; sweepExcused = 1; printf("FAULT: the function dies\n") }; goto end
#else
#define DIES
#endif
#ifdef BROKER_SILENT                 /* the broker does not respond within the timeout */
#define SILENT :: d_step { faults > 0 -> faults--; sweepExcused = 1; printf("FAULT: the broker does not respond\n") }; goto unpublished
#else
#define SILENT
#endif

/* ledger.findByKey, and the check of insert's unique index */
inline findByKey(k) {
  i_ = 1; found_ = 0;
  do
  :: i_ > REQUESTS -> break
  :: i_ <= REQUESTS && key[i_] == k && status[i_] != ABANDONED -> found_ = i_; break
  :: i_ <= REQUESTS && !(key[i_] == k && status[i_] != ABANDONED) -> i_++
  od;
  i_ = 0
}

/* acceptRequest, `count` times, in session s. The first request has the key `firstKey`, the others have unique keys. */
proctype Enqueue(byte who; byte s; byte firstKey; byte count) {
  byte seq = 0, k = 0, sent = 0, other = 0;
  bit wasOpen = 0, lost = 0;
  if :: s == 1 -> (session[1]) :: else fi;                       /* its login comes first */
next:
  if
  :: sent == count -> goto end
  :: else -> k = (sent == 0 -> firstKey : 4 * sent + who); sent++; seq = 0; wasOpen = 0; other = 0; lost = 0
  fi;
#ifdef SAME_KEY
  if DIES
  :: d_step { true -> findByKey(k); seq = found_; found_ = 0; printf("F%d findByKey: %d\n", who, seq) }
  fi;
  if :: seq == 0 :: seq != 0 && status[seq] == QUEUED -> goto wake :: seq != 0 && status[seq] != QUEUED -> goto answer fi;
#endif
ticket:                                                          /* userQueues.takeTicket */
  if DIES
  :: d_step { session[s] && accepted < REQUESTS ->
       wasOpen = (state == OPEN && !queueRefused); state = OPEN; accepted++; seq = accepted;
       printf("F%d takeTicket: %d, was open %d\n", who, seq, wasOpen) }
  :: d_step { !session[s] || accepted == REQUESTS ->
       sweepExcused = sweepExcused || lost; printf("F%d takeTicket: no session\n", who) }; goto end
  fi;
#ifdef GROUP_COMMIT                                              /* the read of the users of the batch */
  if DIES
  :: d_step { true ->
#ifdef BREAK_OUTCOME
       seq = accepted;
#endif
       printf("F%d finds its outcome: %d\n", who, seq) }
  :: d_step { !lost -> lost = 1; printf("F%d does not find its outcome %d\n", who, seq) }; goto ticket
  fi;
#endif
  if DIES                                                        /* ledger.insert */
  :: d_step { status[seq] != MISSING -> assert(status[seq] == ABANDONED); printf("F%d insert %d: duplicate seq\n", who, seq) }; goto ticket
  :: d_step { status[seq] == MISSING ->
       findByKey(k);
       if
       :: found_ == 0 -> status[seq] = QUEUED; key[seq] = k; printf("F%d insert %d\n", who, seq)
       :: else -> other = found_; printf("F%d insert %d: duplicate key of %d\n", who, seq, other)
       fi;
       found_ = 0 }
  fi;
  if :: other != 0 -> goto tombstone :: else fi;
  if :: !wasOpen -> goto wake :: else fi;
#ifdef BREAK_R2
  if DIES :: d_step { true -> userQueueExists = 1; printf("F%d declares the user queue\n", who) } fi;
#endif
  if DIES SILENT                                                 /* publisher.publishRequest */
  :: d_step { userQueueExists -> messages = messages | (1 << seq); printf("F%d publishRequest %d\n", who, seq) }; goto answer
#ifdef BREAK_R1
  :: d_step { !userQueueExists -> printf("F%d publishRequest %d: vanishes\n", who, seq) }; goto answer
#else
  :: d_step { !userQueueExists -> printf("F%d publishRequest %d: unroutable\n", who, seq) }     /* [R1] */
#endif
  fi;
wake:                                                            /* publisher.publishWake */
  if DIES SILENT
  :: d_step { true -> publishWake(); printf("F%d publishWake\n", who) }
  fi;
  goto answer;
tombstone:                                                       /* ledger.insertTombstone */
  if DIES
  :: d_step { true ->
       if :: status[seq] == MISSING -> status[seq] = ABANDONED; printf("F%d insertTombstone %d\n", who, seq) :: else fi }
  fi;
  seq = other;
unpublished:
answer:
  if DIES
  :: d_step { true ->
       saw202[seq] = 1; printf("F%d 202 for %d\n", who, seq);
       if :: k == 1 -> assert(keyAnswer == 0 || keyAnswer == seq); keyAnswer = seq :: else fi }
  fi;
  goto next;
end:
  atomic { seq = 0; k = 0; sent = 0; other = 0; wasOpen = 0; lost = 0; who = 0; s = 0; firstKey = 0; count = 0 }
}

proctype Disconnect(byte s; bit loginFirst) {
  bit othersLeft = 0, wasClosed = 0;
  byte seq = 0, upTo = 0;
#ifdef CONNECT
  if :: loginFirst -> d_step { session[s] = 1; leaves = 1; printf("D%d addConnection\n", s) } :: else fi;
#else
  if :: loginFirst -> d_step { session[s] = 1; printf("D%d addSession\n", s) } :: else fi;
#endif
  if DIES
  :: d_step { true ->
       session[s] = 0; othersLeft = !NO_SESSION; wasClosed = (state == CLOSED);
#ifdef CANCEL_PENDING
       upTo = accepted;
#endif
       printf("D%d removeSession: others %d, closed %d\n", s, othersLeft, wasClosed) }
  fi;
  if :: othersLeft || wasClosed -> goto end :: else fi;
#ifdef CANCEL_PENDING
  do                                                             /* ledger.cancelQueued: each entry is a step */
  :: seq < upTo ->
     seq++;
     if DIES
     :: d_step { true ->
          if :: status[seq] == QUEUED || WAITS(seq) -> status[seq] = CANCELLED; printf("D%d cancel %d\n", s, seq) :: else fi }
     fi
  :: seq >= upTo -> seq = 0; upTo = 0; break
  od;
#endif
#ifdef BREAK_R2
  if DIES :: d_step { true -> dropUserQueue(); printf("D%d deletes the user queue\n", s) } fi;
#endif
  if DIES SILENT                                                 /* publisher.publishWake [R2] */
  :: d_step { true -> publishWake(); printf("D%d publishWake\n", s) }
  fi;
unpublished:
end:
  atomic { othersLeft = 0; wasClosed = 0; seq = 0; upTo = 0; s = 0; loginFirst = 0 }
}

#if defined(ONCE) || defined(RUN_FAILS)
#ifdef BREAK_DECIDE
#define MAY_DECIDE(SEQ) (WAITS(SEQ) || status[SEQ] == PROCESSING)
#else
#define MAY_DECIDE(SEQ) WAITS(SEQ)
#endif
#ifdef ONCE
#define RUNS_AGAIN(SEQ) mayRepeat = mayRepeat | (1 << SEQ)
#else
#define RUNS_AGAIN(SEQ) skip
#endif
#define DECIDE(SEQ) \
  :: d_step { MAY_DECIDE(SEQ) && status[SEQ] != BLOCKED -> status[SEQ] = CANCELLED; printf("P cancel %d\n", SEQ) } \
  :: d_step { MAY_DECIDE(SEQ) -> status[SEQ] = FAILED; printf("P skip %d\n", SEQ) } \
  :: d_step { MAY_DECIDE(SEQ) -> status[SEQ] = QUEUED; RUNS_AGAIN(SEQ); printf("P unblock or endBackOff %d\n", SEQ) }

/* A person, by lib/requests/cancel.ts and retry.ts: decides about every request that waits. It competes with the owner's claim. */
proctype Person() {
next:
  if
  DECIDE(1)
#if REQUESTS > 1
  DECIDE(2)
#endif
#if REQUESTS > 2
  DECIDE(3)
#endif
  fi;
#ifndef BREAK_DECIDE_WAKE
  if :: d_step { true -> publishWake(); printf("P publishWake\n") } fi;
#endif
  goto next
}
#endif

#ifdef END
#define END_RUN(SEQ) \
  :: d_step { status[SEQ] == PROCESSING && !IS_ENDED(SEQ) -> endAsked = endAsked | (1 << SEQ); printf("O requestEnd %d\n", SEQ) }

/* An operator, by lib/requests/end.ts: ends one run, any one. */
proctype Operator() {
  if
  END_RUN(1)
#if REQUESTS > 1
  END_RUN(2)
#endif
  fi;
  if :: d_step { true -> publishWake(); printf("O publishWake\n") } fi
}
#endif

/* ------------------------------------------------------------------------------------------ workers: lib/lanes */

#ifdef BREAK_R7
#define MAY_CLAIM (true)
#define MAY_SETTLE (status[next] == PROCESSING)
#else
#define MAY_CLAIM (token[next] <= my)                            /* [R7] */
#define MAY_SETTLE (status[next] == PROCESSING && token[next] == my)
#endif
#ifdef IDLE_CLOSE
#define WANTS_CLOSE true
#else
#define WANTS_CLOSE noSession
#endif
#if defined(BREAK_R8) || defined(BREAK_R8_BEGIN)
#define BEGIN_CLOSE_MATCHES (state == OPEN && (OWNER_NO_SESSION || !noSession))
#else
#define BEGIN_CLOSE_MATCHES (state == OPEN && accepted == next - 1 && (OWNER_NO_SESSION || !noSession))      /* [R8] */
#endif
#if defined(BREAK_R8) || defined(BREAK_R8_END)
#define END_CLOSE_MATCHES true
#else
#define END_CLOSE_MATCHES (accepted == next - 1)                 /* [R8] */
#endif

#define FORGET loaded = 0; next = 0; known = 0; noSession = 0; refreshDue = 0; declared = 0; closing = 0; held = 0
#ifdef BREAK_R11
#define IS_LENT false
#else
/* [R11] A request that is settled, given back or claimed again is not lent any more. The heartbeat of a dead lender stops. */
#define IS_LENT (lentSeq == next && status[next] == PROCESSING && token[next] == lentToken && lender != 0)
#endif
#ifdef BREAK_R11_TAKE_OVER
#define IS_INTERRUPTED (status[next] == PROCESSING && MAY_CLAIM)
#else
#define IS_INTERRUPTED (status[next] == PROCESSING && MAY_CLAIM && !IS_LENT)
#endif
#if defined(ONCE) && !defined(BREAK_ONCE)
#define IS_CLAIMABLE (status[next] == QUEUED || status[next] == BACK_OFF)
#else
#define IS_CLAIMABLE (status[next] == QUEUED || status[next] == BACK_OFF || status[next] == PROCESSING)
#endif
#ifdef BREAK_R14
#define MAY_RUN true
#else
#define MAY_RUN (!IS_ENDED(next))                                /* [R14] */
#endif
#if defined(BREAK_R7_TAKE_OVER)
#define MAY_TAKE_OVER (status[next] == PROCESSING)
#elif defined(BREAK_TAKE_OVER_STATUS)
#define MAY_TAKE_OVER MAY_CLAIM
#else
#define MAY_TAKE_OVER (status[next] == PROCESSING && MAY_CLAIM)  /* [R7] */
#endif
#define REFUSED 2
#define BEYOND 3                     /* marked, and not deleted yet */
#define WITHOUT 4                    /* there is no room for the queue */
#define FOR_A_TIME 2
#define OWNS (laneOwner == w + 1 && standsBy[w] && !cutOff[w])

/* Reads the user's document: in the load, and in a refresh. */
inline readUser() {
  if
  :: state == CLOSED -> closing = loaded
  :: state != CLOSED && !loaded ->
     loaded = 1; next = settled + 1; known = accepted; noSession = OWNER_NO_SESSION; closing = (state == CLOSING)
  :: state != CLOSED && loaded ->
     if :: accepted > known -> known = accepted :: else fi;
     noSession = OWNER_NO_SESSION; closing = (state == CLOSING)
  fi;
  held = 0;
  printf("W%d reads the user: state %d next %d known %d\n", w, state, next, known)
}

#if defined(LEND) || defined(END)
inline noteBrokenLoan() { if :: cutOff[w] && running[1-w] == next -> loanBroken = 1 :: else fi }
#else
inline noteBrokenLoan() { skip }
#endif

/* The tokens of successive claims never decrease, and a request whose run was ended does not run again. */
inline claim() {
  assert(my >= highestToken);
  assert(!IS_ENDED(next));
  highestToken = my;
  noteBrokenLoan();
  status[next] = PROCESSING; token[next] = my
}

/* Queues an interrupted request again or gives it up: its outcome is not recorded yet, and no later owner has claimed it. */
inline takeOver(newStatus) {
  assert(!IS_SETTLED(next));
  assert(my >= highestToken);
  highestToken = my;
  noteBrokenLoan();
  status[next] = newStatus; token[next] = my
}

/* When a run starts, no other run is in progress, every lower seq is settled, and the request is claimed for this run. The
   one exception is a worker that was cut off but alive: then both workers may be inside a run that they have claimed, and
   the run of the older claim may start late. When it takes a request over that is then lent out, the lender goes on inside
   its run until the ledger refuses the outcome. */
inline startRun() {
  assert(running[1-w] == 0 || cutOff[0] || cutOff[1] || (lending[1-w] && loanBroken));
  assert((status[next] == PROCESSING && token[next] == my) || everCutOff);
  i_ = 1;
  do :: i_ < next -> assert(IS_SETTLED(i_)); i_++ :: i_ >= next -> break od;
  i_ = 0;
#ifdef ONCE
  assert(!(ran & ~mayRepeat & (1 << next)));
  ran = ran | (1 << next);
#endif
  running[w] = next
}

#define REQUEST_DELIVERY(SEQ) \
  :: d_step { consumes[w] && !cutOff[w] && loaded && (messages & (1 << SEQ)) -> \
       messages = messages & ~(1 << SEQ); if :: SEQ > known -> known = SEQ :: else fi; printf("W%d request %d\n", w, SEQ) }

proctype Worker(byte w) {
  byte my = 0;                       /* the fencing token */
  byte next = 0, known = 0;          /* of the loaded user: the next seq to run, the highest known seq */
  bit loaded = 0, noSession = 0, closing = 0;
  byte declared = 0;                 /* the user queue: 0, 1, REFUSED, BEYOND or WITHOUT */
  bit refreshDue = 0;                /* the user must be refreshed */
  byte held = 0;                     /* `next` is lent out, blocked or in its back-off: it waits for a refresh, or FOR_A_TIME */
standBy:
  {
    /* LaneBroker.openLane: declare and consume the lane; then publishBaton. (The workers are alike, so worker 0 begins.) */
    if
    :: d_step { (w == 0 || begun) && !cutOff[w] ->
         begun = 1; if :: !laneExists -> laneExists = 1; batons = 0; wakes = 0; laneOwner = 0 :: else fi }
    fi;
    if
    :: d_step { laneExists && !cutOff[w] ->
         standsBy[w] = 1; if :: laneOwner == 0 -> laneOwner = w + 1 :: else fi; printf("W%d openLane\n", w) }
    :: d_step { !laneExists && !cutOff[w] -> skip }; goto standBy
    fi;
#ifndef BREAK_R3
    if :: d_step { !cutOff[w] ->                                 /* [R3] */
           if :: laneExists -> batons = AT_MOST_2(batons + 1) :: else fi; printf("W%d publishBaton\n", w) } fi;
#endif
    if                                                           /* the first delivery: this consumer is the active one */
    :: d_step { OWNS && batons > 0 -> batons--; heldBatons[w]++; printf("W%d first delivery: baton\n", w) }
    :: d_step { OWNS && wakes > 0 -> wakes--; heldWakes[w]++; printf("W%d first delivery: wake\n", w) }
    fi;

    /* Acquire the lane: lanes.takeLease; userQueues.notClosed; lanes.leases, after the load [R4]. */
    if :: d_step { true -> lease++; my = lease; printf("W%d takeLease: %d\n", w, my) } fi;
    if :: d_step { true -> readUser() } fi;
#ifndef BREAK_R4
    if
    :: d_step { lease == my -> skip }
    :: d_step { lease != my -> printf("W%d: another worker has acquired the lane\n", w) }; goto lost
    fi;
#endif
    heldWakes[w] = 0;

own:
    do
    /* --- LaneEvents.baton: keep one, ack the others; LaneEvents.wake: ack it and refresh the user [R5] */
    :: d_step { OWNS && batons > 0 -> batons--; heldBatons[w] = 1; printf("W%d baton\n", w) }
    :: d_step { OWNS && wakes > 0 ->
         wakes--;
#ifdef BREAK_R5
         if :: !loaded -> refreshDue = 1 :: else fi;
#else
         refreshDue = 1;
#endif
         printf("W%d wake\n", w) }

    /* --- refresh: userQueues.get, then lanes.leases */
    :: d_step { refreshDue -> refreshDue = 0; readUser() };
#ifndef BREAK_R4
       if
       :: d_step { lease == my -> skip }
       :: d_step { lease != my -> printf("W%d: another worker has acquired the lane\n", w) }; goto lost
       fi
#endif

    /* --- the user queue: LaneChannel.openUserQueue, LaneEvents.request, LaneEvents.userQueueCancelled [R6] */
    :: d_step { loaded && !consumes[w] && !declared && !cutOff[w] && standsBy[w] && !closing && !refuses ->
         userQueueExists = 1; consumes[w] = 1; declared = 1; printf("W%d openUserQueue\n", w) }
    /* --- a refusal concerns this user alone: noteQueueRefused, then a refresh for what was accepted before it [R10] */
    :: d_step { loaded && !consumes[w] && !declared && !cutOff[w] && standsBy[w] && !closing && refuses ->
         declared = REFUSED;
#if !defined(BREAK_R10) && !defined(BREAK_R10_MARK)
         queueRefused = 1;
#endif
#if !defined(BREAK_R10) && !defined(BREAK_R10_REFRESH)
         refreshDue = 1;
#endif
         printf("W%d noteQueueRefused\n", w) }
    :: d_step { loaded && declared == REFUSED && !refuses -> declared = 0; printf("W%d tries the user queue again\n", w) }
    :: d_step { loaded && consumes[w] && !cutOff[w] && standsBy[w] && queueRefused ->
         queueRefused = 0; printf("W%d noteQueueOpened\n", w) }
#ifdef BEYOND_CAP
    /* --- no room for the queue: noteQueueRefused, then UserQueueChannel.delete and a refresh, in any order [R15] */
    :: d_step { faults > 0 && loaded && !consumes[w] && !declared && !cutOff[w] && standsBy[w] && !closing ->
         faults--; declared = BEYOND;
#if !defined(BREAK_R15) && !defined(BREAK_R15_MARK)
         queueRefused = 1;
#endif
#if !defined(BREAK_R15) && !defined(BREAK_R15_REFRESH)
         refreshDue = 1;
#endif
         printf("W%d is beyond the cap: noteQueueRefused\n", w) }
    :: d_step { loaded && declared == BEYOND && !cutOff[w] && standsBy[w] ->
         dropUserQueue(); declared = WITHOUT; printf("W%d deleteUserQueue, beyond the cap\n", w) }
    :: d_step { loaded && declared == WITHOUT -> declared = 0; printf("W%d has room for the user queue\n", w) }
#endif
    REQUEST_DELIVERY(1)
#if REQUESTS > 1
    REQUEST_DELIVERY(2)
#endif
#if REQUESTS > 2
    REQUEST_DELIVERY(3)
#endif
    :: d_step { loaded && declared == 1 && !consumes[w] && !cutOff[w] && standsBy[w] && !closing ->
         declared = 0;
#ifndef BREAK_R6
         refreshDue = 1;
#endif
         printf("W%d userQueueCancelled\n", w) }

    /* --- work: ledger.insertTombstone for a gap; skip settled entries; ledger.commit (claim), run, ledger.commit (settle) */
    :: d_step { loaded && !held && known >= next && status[next] == MISSING ->
         status[next] = ABANDONED; next++; printf("W%d insertTombstone %d\n", w, next - 1) }
    :: d_step { loaded && !held && known >= next && IS_SETTLED(next) && MAY_CLAIM -> next++; printf("W%d skips %d\n", w, next - 1) }
    :: d_step { loaded && !held && known >= next && IS_LENT && MAY_CLAIM -> held = 1; printf("W%d finds %d lent out\n", w, next) }
    :: d_step { held && lentSeq == next && lender == 0 -> held = 0; printf("W%d: the lender is gone\n", w) }
#if defined(ONCE) || defined(RUN_FAILS)
    :: d_step { loaded && !held && known >= next && WAITS(next) && MAY_CLAIM && MAY_RUN ->
         held = (status[next] == BACK_OFF -> FOR_A_TIME : 1); printf("W%d finds that %d waits\n", w, next) }
    :: d_step { held == FOR_A_TIME -> held = 0; printf("W%d: the time of %d is over\n", w, next) }
#endif
    :: d_step { loaded && !held && known >= next && !MAY_CLAIM -> assert(everCutOff); printf("W%d claim refused\n", w) }; goto lost
#if defined(ONCE) || defined(REQUEUE)
    /* --- an interrupted request: the step that reads it, then ledger.commit (requeue or give-up) */
    :: d_step { loaded && !held && known >= next && IS_INTERRUPTED && MAY_RUN -> printf("W%d finds %d interrupted\n", w, next) };
       if
#ifdef ONCE
       :: d_step { MAY_TAKE_OVER -> takeOver(FAILED); next++; printf("W%d gives %d up, failed\n", w, next - 1) }
       :: d_step { MAY_TAKE_OVER -> takeOver(BLOCKED); held = 1; printf("W%d gives %d up, blocked\n", w, next) }
#else
       :: d_step { MAY_TAKE_OVER -> takeOver(QUEUED); printf("W%d requeue %d, token %d\n", w, next, my) }
#endif
       :: d_step { !MAY_TAKE_OVER -> assert(everCutOff || offersLate); printf("W%d: %d has changed\n", w, next) }
       fi
#endif
#ifdef END
    /* --- a request whose run was ended, without a run under way: the step that reads it, then ledger.commit (give-up) */
    :: d_step { loaded && !held && known >= next && status[next] != MISSING && !IS_SETTLED(next) && !MAY_RUN && MAY_CLAIM && !IS_LENT ->
         printf("W%d finds that the run of %d was ended\n", w, next) };
       if
       :: d_step { !IS_SETTLED(next) && MAY_CLAIM -> takeOver(FAILED); next++; printf("W%d gives %d up, ended\n", w, next - 1) }
       :: d_step { IS_SETTLED(next) || !MAY_CLAIM -> printf("W%d: %d has changed\n", w, next) }
       fi
#endif
    :: d_step { loaded && !held && known >= next && IS_CLAIMABLE && MAY_CLAIM && MAY_RUN && !IS_LENT ->
         claim(); printf("W%d claim %d, token %d\n", w, next, my) };
       if
       :: d_step { true -> startRun(); printf("W%d starts %d\n", w, next) }
#ifdef GIVE_UP
       :: d_step { faults > 0 && !cutOff[w] && standsBy[w] -> faults--; offersLate = 1; printf("W%d gives up instead of a run\n", w) }; goto giveUp
#endif
       fi;
       if
       :: d_step { MAY_SETTLE -> status[next] = DONE; running[w] = 0; next++; printf("W%d settle %d\n", w, next - 1) }
       :: d_step { !MAY_SETTLE -> assert(everCutOff); running[w] = 0; printf("W%d settle refused\n", w) }; goto lost
#ifdef GIVE_UP
       :: d_step { faults > 0 && !cutOff[w] && standsBy[w] -> faults--; offersLate = 1; printf("W%d gives up during a run\n", w) }; goto giveUp
#endif
#ifdef RUN_FAILS
       :: d_step { faults > 0 && MAY_SETTLE ->
            faults--; status[next] = BACK_OFF; running[w] = 0; held = FOR_A_TIME; printf("W%d retry %d\n", w, next) }
       :: d_step { faults > 0 && MAY_SETTLE ->
            faults--; status[next] = LONG_BACK_OFF; running[w] = 0; held = 1; printf("W%d retry %d much later\n", w, next) }
       :: d_step { faults > 0 && MAY_SETTLE ->
            faults--; status[next] = BLOCKED; running[w] = 0; held = 1; printf("W%d block %d\n", w, next) }
#endif
#ifdef END
       :: d_step { IS_ENDED(next) && MAY_SETTLE -> status[next] = FAILED; running[w] = 0; next++; printf("W%d settle %d, ended\n", w, next - 1) }
       /* It ignores its signal. The worker retires: it lends the run out, and hands the lane over. Its process ends the run. */
       :: d_step { IS_ENDED(next) && !cutOff[w] && standsBy[w] && MAY_SETTLE ->
            lending[w] = 1; lentSeq = next; lentToken = my; lender = w + 1; printf("W%d noteLent %d, token %d, retires\n", w, next, my) };
          if :: d_step { true -> closeChannel(w); printf("W%d hands the lane over, retires\n", w) } fi;
          if
          :: d_step { MAY_SETTLE -> status[next] = FAILED; running[w] = 0; printf("W%d settle %d, ended, lent\n", w, next) };
             if :: d_step { true -> publishWake(); printf("W%d publishWake, lent\n", w) } fi
          :: d_step { !MAY_SETTLE -> assert(everCutOff); running[w] = 0; printf("W%d settle refused, lent\n", w) }
#ifdef BREAK_GONE
          :: d_step { true -> lender = (lender == w + 1 -> 0 : lender); printf("W%d is gone\n", w) };
             if :: d_step { true -> running[w] = 0; printf("W%d exits\n", w) } fi
#else
          :: d_step { true -> running[w] = 0; printf("W%d exits\n", w) };
             if :: d_step { true -> lender = (lender == w + 1 -> 0 : lender); printf("W%d is gone\n", w) } fi
#endif
          fi;
          if :: d_step { true -> lending[w] = 0; FORGET; my = 0 } fi;
          goto standBy
#endif
#ifdef LEND
       /* Hand over during a run: noteLent, then close the channel. The run goes on here [R11]. */
       :: d_step { faults > 0 && !cutOff[w] && standsBy[w] && MAY_SETTLE ->
            faults--; lending[w] = 1;
            lentSeq = next; lentToken = my; lender = w + 1; printf("W%d noteLent %d, token %d\n", w, next, my) };
lentOut:
          if :: d_step { true -> closeChannel(w); printf("W%d hands the lane over\n", w) } fi;
          if
          :: d_step { MAY_SETTLE -> status[next] = DONE; running[w] = 0; printf("W%d settle %d, lent\n", w, next) }
#ifndef ONCE
          :: d_step { MAY_SETTLE -> status[next] = QUEUED; running[w] = 0; printf("W%d gives %d back, lent\n", w, next) }
#endif
#ifdef RUN_FAILS
          :: d_step { faults > 0 && MAY_SETTLE ->
               faults--; status[next] = LONG_BACK_OFF; running[w] = 0; printf("W%d retry %d much later, lent\n", w, next) }
#endif
          :: d_step { !MAY_SETTLE -> assert(everCutOff); running[w] = 0; printf("W%d settle refused, lent\n", w) }
          fi;
#ifndef BREAK_R12
          if :: d_step { true -> publishWake(); printf("W%d publishWake, lent\n", w) } fi;      /* [R12] */
#endif
          if :: d_step { true -> lending[w] = 0; FORGET; my = 0 } fi;
          goto standBy
#endif
       fi
    :: d_step { loaded && settled + 1 < next && known < next ->
         settled = next - 1; printf("W%d flushSettled %d\n", w, settled) }

    /* --- close: userQueues.beginClose [R8], LaneChannel.deleteUserQueue, userQueues.endClose [R9] */
    :: d_step { loaded && known < next && !refreshDue && !closing && WANTS_CLOSE && BEGIN_CLOSE_MATCHES ->
#ifdef BREAK_R9
         state = CLOSED;
#else
         state = CLOSING;
#endif
         settled = next - 1; closing = 1; printf("W%d beginClose\n", w) }
    :: d_step { loaded && known < next && !refreshDue && !closing && WANTS_CLOSE && !BEGIN_CLOSE_MATCHES ->
         refreshDue = 1; printf("W%d beginClose: no match\n", w) }
    :: d_step { loaded && closing && !refreshDue && !cutOff[w] && standsBy[w] && known < next && !refuses ->
         dropUserQueue(); declared = 0; printf("W%d deleteUserQueue\n", w) };
       if
       :: d_step { state == CLOSING && END_CLOSE_MATCHES -> state = CLOSED; queueRefused = 0; FORGET; printf("W%d endClose\n", w) }
       :: d_step { state == CLOSED -> FORGET; printf("W%d endClose: closed already\n", w) }
       :: d_step { state == OPEN || (state == CLOSING && !END_CLOSE_MATCHES) ->
            closing = 0; refreshDue = 1; printf("W%d endClose: no match\n", w) }
       fi
    :: d_step { loaded && closing && known >= next -> closing = 0 }

#ifdef HAND_OVER
    :: d_step { faults > 0 && !cutOff[w] && standsBy[w] ->
         faults--; closeChannel(w); FORGET; my = 0; printf("W%d hands the lane over\n", w) }; goto standBy
#endif
    od;
#ifdef GIVE_UP
giveUp:
    /* The run ends, or is lent out, before the channel is closed [R16]. What it came to is offered until MongoDB answers. */
    if
    :: d_step { !running[w] -> closeChannel(w); printf("W%d closes its channel\n", w) };
       if
       :: d_step { MAY_SETTLE -> status[next] = QUEUED; printf("W%d gives %d back, which did not begin\n", w, next) }
       :: d_step { !MAY_SETTLE -> printf("W%d gives nothing back\n", w) }
       fi
#ifdef LEND
    :: d_step { running[w] && !cutOff[w] && standsBy[w] && MAY_SETTLE ->
         lending[w] = 1;
         lentSeq = next; lentToken = my; lender = w + 1; printf("W%d noteLent %d, token %d, gives up\n", w, next, my) }; goto lentOut
#endif
#ifdef BREAK_R16
    :: d_step { running[w] -> closeChannel(w); printf("W%d closes its channel\n", w) };
       if :: d_step { true -> running[w] = 0; printf("W%d is not inside a run any more\n", w) } fi;
#else
    :: d_step { running[w] -> running[w] = 0; printf("W%d is not inside a run any more\n", w) };
       if :: d_step { true -> closeChannel(w); printf("W%d closes its channel\n", w) } fi;
#endif
       if
       :: d_step { MAY_SETTLE -> status[next] = DONE; printf("W%d settle %d, late\n", w, next) }
#ifdef ONCE
       :: d_step { MAY_SETTLE -> status[next] = FAILED; printf("W%d settle %d, aborted, late\n", w, next) }
       :: d_step { MAY_SETTLE -> status[next] = BLOCKED; printf("W%d block %d, aborted, late\n", w, next) }
#else
       :: d_step { MAY_SETTLE -> status[next] = QUEUED; printf("W%d gives %d back, late\n", w, next) }
#endif
       :: d_step { !MAY_SETTLE -> printf("W%d: what %d came to is refused\n", w, next) }
       fi
    fi;
    if :: d_step { true -> FORGET; my = 0 } fi;
    goto standBy;
#endif
lost:
    if :: d_step { true -> closeChannel(w); FORGET; my = 0; printf("W%d closes its channel\n", w) } fi;
    goto standBy
  } unless { dead[w] };
  if
  :: d_step { !laneGhost[w] && !userGhost[w] ->
       dead[w] = 0; running[w] = 0; FORGET; my = 0; printf("W%d starts again\n", w) }
  fi;
  goto standBy
}

/* ------------------------------------------------------------------------------------------------------- faults */

inline die(x) {
  faults--; running[x] = 0; dead[x] = 1; cutOff[x] = 0; lending[x] = 0;
  if :: lender == x + 1 -> lender = 0 :: else fi;              /* its heartbeat stops */
#ifdef DEATH_SEEN_LATE
  laneGhost[x] = standsBy[x]; ghostBatons[x] = heldBatons[x]; ghostWakes[x] = heldWakes[x]; userGhost[x] = consumes[x];
  standsBy[x] = 0; heldBatons[x] = 0; heldWakes[x] = 0; consumes[x] = 0;
#else
  closeChannel(x);
#endif
  printf("FAULT: W%d dies\n", x)
}
inline noticeLaneConsumer(x) {
  heldBatons[x] = ghostBatons[x]; heldWakes[x] = ghostWakes[x];
  laneGhost[x] = 0; ghostBatons[x] = 0; ghostWakes[x] = 0; closeLaneConsumer(x)
}
inline loseMessages() {
  faults--; wiped = 1; batons = 0; wakes = 0; laneOwner = 0;
  dead[0] = ((standsBy[0] || cutOff[0]) && !lending[0] -> 1 : dead[0]);
  dead[1] = ((standsBy[1] || cutOff[1]) && !lending[1] -> 1 : dead[1]);
  standsBy[0] = 0; standsBy[1] = 0; heldBatons[0] = 0; heldBatons[1] = 0; heldWakes[0] = 0; heldWakes[1] = 0;
  laneGhost[0] = 0; laneGhost[1] = 0; ghostBatons[0] = 0; ghostBatons[1] = 0; ghostWakes[0] = 0; ghostWakes[1] = 0;
  cutOff[0] = 0; cutOff[1] = 0;
  running[0] = (dead[0] -> 0 : running[0]); running[1] = (dead[1] -> 0 : running[1])
}
inline wipe() { loseMessages(); laneExists = 0; dropUserQueue(); printf("FAULT: the broker loses everything\n") }
inline restart() {
  loseMessages(); messages = 0; consumes[0] = 0; consumes[1] = 0; userGhost[0] = 0; userGhost[1] = 0;
  printf("FAULT: the broker restarts and keeps its queues alone\n")
}
inline cut(x) { faults--; cutOff[x] = 1; everCutOff = 1; closeChannel(x); printf("FAULT: W%d is cut off\n", x) }
/* LaneBroker.deleteLane: its messages are lost. Who stood by learns of it at once. The owner does not: it stands still. */
inline takeAway(x) {
  faults--; cutOff[x] = 1; everCutOff = 1; consumes[x] = 0;
  laneExists = 0; batons = 0; wakes = 0; laneOwner = 0;
  dead[1-x] = (standsBy[1-x] && !lending[1-x] -> 1 : dead[1-x]);
  standsBy[0] = 0; standsBy[1] = 0; heldBatons[0] = 0; heldBatons[1] = 0; heldWakes[0] = 0; heldWakes[1] = 0;
  printf("FAULT: the lane is taken away from W%d\n", x)
}
/* A lent run does not depend on the channel: it goes on. */
inline notice(x) {
  cutOff[x] = 0;
  if :: !lending[x] -> dead[x] = 1; running[x] = 0 :: else fi;
  printf("W%d notices\n", x)
}

proctype Faults() {
  do
#ifdef WORKER_DIES
  :: d_step { faults > 0 && (standsBy[0] || cutOff[0] || lending[0]) && !dead[0] -> die(0) }
  :: d_step { faults > 0 && (standsBy[1] || cutOff[1] || lending[1]) && !dead[1] -> die(1) }
#endif
#ifdef DEATH_SEEN_LATE
  :: d_step { laneGhost[0] -> noticeLaneConsumer(0) }
  :: d_step { laneGhost[1] -> noticeLaneConsumer(1) }
  :: d_step { userGhost[0] -> userGhost[0] = 0 }
  :: d_step { userGhost[1] -> userGhost[1] = 0 }
#endif
#ifdef BROKER_WIPED
  :: d_step { faults > 0 && !wiped && laneExists -> wipe() }
#endif
#ifdef BROKER_RESTARTED
  :: d_step { faults > 0 && !wiped && laneExists -> restart() }
#endif
#ifdef QUEUE_DELETED
  :: d_step { faults > 0 && userQueueExists -> faults--; dropUserQueue(); printf("FAULT: the user queue is deleted\n") }
#endif
#ifdef QUEUE_REFUSED
  :: d_step { faults > 0 && !refuses -> faults--; refuses = FOR_NOW; consumes[0] = 0; consumes[1] = 0; printf("FAULT: the user queue is refused\n") }
  :: d_step { faults > 0 && !refuses -> faults--; refuses = FOREVER; consumes[0] = 0; consumes[1] = 0; printf("FAULT: the user queue is refused for ever\n") }
  :: d_step { refuses == FOR_NOW -> refuses = 0; printf("the user queue is not refused any more\n") }
#endif
#ifdef CUT_OFF
  :: d_step { faults > 0 && standsBy[0] && !dead[0] && !cutOff[0] -> cut(0) }
  :: d_step { faults > 0 && standsBy[1] && !dead[1] && !cutOff[1] -> cut(1) }
#endif
#ifdef TAKEN_AWAY
  :: d_step { faults > 0 && laneOwner == 1 && standsBy[0] && !dead[0] && !cutOff[0] -> takeAway(0) }
  :: d_step { faults > 0 && laneOwner == 2 && standsBy[1] && !dead[1] && !cutOff[1] -> takeAway(1) }
#endif
#if defined(CUT_OFF) || defined(TAKEN_AWAY)
  :: d_step { cutOff[0] -> notice(0) }
  :: d_step { cutOff[1] -> notice(1) }
#endif
  :: false
  od
}

/* ----------------------------------------------- time passes when no other step is possible: lib/lanes/sweep.ts */

/* userQueues.stuck */
#define STUCK (settled < accepted || (state != CLOSED && NO_SESSION) || state == CLOSING)

inline checkFinalState() {
  printf("END after %d sweeps\n", sweeps);
  i_ = 1;
  do
  :: i_ <= REQUESTS ->
     if                                                                                         /* accepted is kept */
     :: saw202[i_] -> assert(status[i_] == DONE || status[i_] == CANCELLED || status[i_] == FAILED)
     :: else
     fi;
     if :: i_ <= accepted -> assert(IS_SETTLED(i_)) :: else fi;                                 /* nothing is stuck */
     i_++
  :: i_ > REQUESTS -> break
  od;
  i_ = 0;
  assert(!userQueueExists || refuses);                                                          /* queues end */
  assert((state == CLOSED || (state == CLOSING && refuses)) && settled == accepted);
  assert(wakes == 0 && heldWakes[0] == 0 && heldWakes[1] == 0);
  if :: laneExists -> assert(batons + heldBatons[0] + heldBatons[1] >= 1) :: else fi            /* the next acquisition is prompt */
}

proctype Time() {
  do
#ifdef EARLY_SWEEP
  :: d_step { faults > 0 && STUCK -> faults--; publishWake(); printf("an early sweep\n") }
#endif
  :: d_step { timeout && !NO_SESSION ->
       i_ = 1;
       do                                                        /* no accepted request waits for a sweep */
       :: i_ <= REQUESTS -> assert(!saw202[i_] || IS_SETTLED(i_) || sweepExcused); i_++
       :: i_ > REQUESTS -> break
       od;
       i_ = 0;
       session[0] = 0; session[1] = 0; sweepExcused = 1; printf("dropExpiredSessions\n") }
  :: d_step { timeout && NO_SESSION && STUCK && sweeps < SWEEPS ->
       assert(sweepExcused || (state == CLOSING && refuses));
       sweeps++; publishWake(); printf("a sweep\n") }
  :: d_step { timeout && NO_SESSION && !(STUCK && sweeps < SWEEPS) -> checkFinalState() }; break
  od
}

/* Assertions that must hold at any time. */
proctype Always() {
  if
  :: d_step { settled > 0 && !IS_SETTLED(settled) -> assert(!(settled > 0 && !IS_SETTLED(settled))) }
  :: d_step { userQueueExists && state == CLOSED -> assert(!(userQueueExists && state == CLOSED)) }  /* no worker would delete it */
  :: false
  fi
}

init {
  atomic {
    session[0] = 1;
    run Enqueue(0, 0, 1, ENQUEUE);
#ifdef ENQUEUE_TWICE
#ifdef SAME_KEY
    run Enqueue(1, 0, 1, 1);
#else
    run Enqueue(1, 0, 2, 1);
#endif
#endif
#ifdef DISCONNECT
    run Disconnect(0, 0);
#endif
#ifdef RELOGIN
    run Enqueue(2, 1, 3, 1); run Disconnect(1, 1);
#endif
#if defined(ONCE) || defined(RUN_FAILS)
    run Person();
#endif
#ifdef END
    run Operator();
#endif
    run Worker(0); run Worker(1); run Faults(); run Time(); run Always()
  }
}
