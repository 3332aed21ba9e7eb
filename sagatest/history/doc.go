// Package history judges what a saga engine did by what three parties wrote
// down: its clients, the participants it called, and the engine itself. It never
// trusts the engine's word alone; what took effect is what participants say.
//
// [Load] reads a folder, [Check] judges a [History] and returns a [Report] whose
// violations name the broken guarantee, the place, one sentence, and the lines
// that prove it. A [Recorder] writes such logs.
//
// # The folder
//
//	definitions.json       {"sagas":{name or name@version: definition},
//	                        "services":{name: participant, and "unlogged"},
//	                        "options":{"complete","skew","in_flight","slack","key_retention"}}
//	client.jsonl           what clients asked and were told
//	participant-*.jsonl    calls as they came in, and their answers
//	engine-*.jsonl         the journal, the audit rows, the alerts
//
// A line is one JSON object of at most 4 MiB, without fields that [Line] does not
// have ("data" may hold more). Its time t is microseconds since the epoch or RFC
// 3339 text; node names the writer. A writer's lines are in the order in which it
// wrote them.
//
// # Clients
//
//	{"t","event":"invoke","op":"start","name","tenant","request_key","input_sha"}
//	{"t","event":"return","op":"start",…the same…,"outcome","status","saga","saga_status"}
//	{"t","event":"invoke","op":"get|cancel|replay|resolve|reopen|complete","saga","step","direction"}
//
// outcome is ok where the engine promised something, fail where it refused (a
// 429 and a 503 refuse a start), unknown after a timeout. saga_status is the state
// that the client was shown. input_sha is [InputSHA]. Of a complete, answer is the
// completion: done or refused.
//
// # Participants
//
//	{"t","event":"invoke","node","service","saga","step","direction","attempt","generation","key","body_sha"}
//	{"t","event":"return",…the same…,"outcome","status","answer"}
//
// The invoke is written before anything is done, the return before the answer
// leaves. outcome is what the participant knows of the effect of this one call:
// ok, it took effect now or under the same key before; fail, this call did
// nothing; unknown, anything else: a 5xx, a 202 that is still worked on. An
// invoke without a return is unknown. Where generation is missing the key's last
// part says it. A completion of an asynchronous call is a return with op
// complete, an answer of the status path one with op status, ok for done, fail
// for not done, unknown otherwise; both speak for every call under the key
// before them. service defaults to the definition's.
//
// # The engine
//
//	{"t","node","epoch","lease","event":"journal","saga","seq","kind","step","direction","attempt","generation","key","body_sha","data"}
//	{"t","node","event":"audit","op":"cancel|replay|resolve|reopen|send","saga","step","direction","data":{"actor","reason"}}
//	{"t","node","event":"alert","kind":"dead_letter","saga","step","data":{"group"}}
//
// kind is one of the kinds of [unwind.Entry], seq counts a saga's entries from 1
// in the order of their commits, t is when the commit was durable. A line that is
// repeated word for word is a delivery again. epoch is the fence under which the
// line was written and lease what it fences: empty for the store as a whole, or
// a name where every node has an epoch of its own. Data by kind:
//
//	saga_started                  name and version beside data; "key","tenant","input_sha"
//	action_ordered,               "not_before" (µs; none: at once), "may_have_executed",
//	compensation_ordered          "ask": the status path is asked, nothing is called
//	…_failed …_throttled          "class","status" (HTTP, 0: no answer),"message",
//	…_awaiting                    "counted","may_have_executed"
//	saga_compensating,            "cause"; cancelled where an operator or client did it
//	cancel_requested
//	dead_lettered                 "class","group"
//	replayed, resolved, reopened  "actor","reason","new_key","as"
//	saga_ended                    "status": completed, compensated or dead_lettered
//
// Each attempt has an order; attempts count from 1, generations from 0. After a
// crash the call of an order may be made again without another line. The engine
// may write its own invoke lines: they are judged like a participant's and never
// count as proof that something was done.
//
// # Cut logs
//
// Where a writer was killed and may have lost lines, whoever killed it adds
// {"event":"cut","t","node"}: lines between the last one of that node and the
// cut are then missing, not evidence. A log that is flushed line by line needs
// none. Best is to export the journal from the store.
//
// # What is judged
//
//	G1   acknowledged starts exist, durable before the answer; one saga per key; refused ones do not exist;
//	     another input under the same key is refused
//	G2   one end; nothing is ordered or comes in while at rest; nobody is told an end before it
//	G3   completed, compensated and (under continue) dead_lettered by the participants' logs
//	G4   no compensation without an order of its action
//	G5   compensations in reverse order of descent, with continue and block
//	G6   no action after the turn back; nothing is undone before it settled
//	G7   every call was ordered before; every recorded success was answered
//	G8   one key and one body per generation; generations by operators only; no key for two calls
//	G9   attempts within the policy; backoff; what is throttled does not count
//	G10  declared rate, window and concurrency of each lane, as participants count
//	G12  no writing under a lower epoch
//	G13  journals without gaps, out-of-order entries or transitions that no saga makes
//	G14  an audit row for every act of an operator, and an act for every acknowledgement
//	L    of a complete history: every saga at rest, every dead letter told
//
// Times of two writers are compared with [Options.Skew] to spare. A call may come
// in for [Options.InFlight] after the turn back or the end; within that time the order alone
// decides. There is one violation per guarantee and place, and a consequence of
// one that is reported is not reported again.
//
// A replay under a new key is taken as the operator's audited word that the old
// one did nothing, or was taken back.
//
// Not judged: breakers (G11), delivery to sinks and the audit chain, secrets, how
// long throttled calls wait, limits that cross services, and what a participant
// did without writing it down.
package history
