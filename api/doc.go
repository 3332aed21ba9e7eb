// Package api serves an [unwind.Service] over HTTP: JSON under /v1, problems of
// RFC 9457 for every error, and an OpenAPI 3.1 document made from the same table
// of routes that serves.
//
// # The way of a request
//
// [Handler.ServeHTTP] gives the request an id and catches panics (handler.go). A
// request that a page of another site made is refused (origin.go), the path and
// method find a route (route.go, routes.go), the bearer token's role is held
// against the table of roles (access.go), the body is read with its bounds and
// decoded strictly (body.go, decode.go), and the service is asked. What it
// returns is written as JSON, an error as a problem (answer.go, problem.go).
//
// # Why huma describes and does not serve
//
// huma makes the document: schemas of Go types, operations, components. Its own
// way of serving takes its errors from a variable of the package, which a library
// must not set for its users, accepts field names in any case, and points at
// faults by dotted paths, which are not JSON pointers. It also decodes each body
// twice. BenchmarkHuma compares the two.
package api
