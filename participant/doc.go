// Package participant is for services that a saga calls. It makes handlers
// safe against what a durable engine does to them: calls that come twice,
// compensations that come without their action, and actions that come after
// their compensation.
//
// A handler does its work in the transaction it is given and returns an output
// or an error:
//
//	barrier, err := participant.New(db, participant.Options{})
//	mux.Handle("POST /reserve", barrier.Handler(func(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
//		var order Order
//		if err := call.DecodeInput(&order); err != nil {
//			return nil, err
//		}
//		if soldOut {
//			return nil, participant.Refuse("out of stock")
//		}
//		return Reservation{ID: id}, nil
//	}))
//	mux.Handle("GET /status", barrier.Status())
//
// The [Barrier] writes what it answered into a table in the same transaction
// as the handler's work, so that both are there or neither is. The table comes
// from [SchemaSQLite] or [SchemaPostgres]; the package itself imports only the
// standard library.
//
// # What a call is answered
//
//	the handler returned an output        200, Unwind-Outcome: done, the output
//	[Refuse]                              409, Unwind-Outcome: refused
//	[Invalid], or a call that is malformed  422 or 400: nothing happened
//	[Throttle]                            429 and Retry-After: nothing happened
//	any other error                       500: rolled back, to be asked again
//	the same key again                    the stored answer, word for word
//	the same key with another body        422
//	the same step is being worked on      425, Unwind-Outcome: in_progress
//	a compensation without its action     200, and the action is refused from then on
//	an action after its compensation      409, Unwind-Outcome: refused
//	the database does not answer          503 and Retry-After: nothing happened
//
// A refused or invalid action is recorded: a delayed duplicate must not find
// that there is stock by now and reserve it for a saga that gave up long ago.
// A refused compensation is not recorded, so that it can be sent again under
// the same key once the cause is removed.
package participant
