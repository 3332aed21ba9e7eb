// Package client speaks to an Unwind server over HTTP. A [Client] is an
// [unwind.Service]: code written against it runs as well against an engine in
// its own process. Errors are [*unwind.Error] with the server's code, the time
// to wait and the request id.
package client
