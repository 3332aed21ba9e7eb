// Package demo has the three participants of the demo as real services with
// durable books: inventory, payments and shipping. Each stands behind the
// participant barrier and keeps a ledger that only grows, so that [Audit] can
// say afterwards whether stock and money add up with what the engine claims.
//
// The calls take the standard body; the saga's input is an [Order]:
//
//	inventory  POST /reserve  /release
//	payments   POST /charge   /refund
//	shipping   POST /ship     /cancel
//	each       GET /status?key=   /books   /books/entries?cursor=&limit=   /gateway   /livez
//	           PUT /version
package demo
