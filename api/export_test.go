package api

// Routes lists the keys of the router's routes.
func (h *Handler) Routes() []string {
	keys := make([]string, len(h.routes))
	for i := range h.routes {
		keys[i] = h.routes[i].key
	}
	return keys
}

// LeastRole is the table of roles.
var LeastRole = leastRole

// Anyone is the role of routes that need none.
const Anyone = anyone

// FieldNames lists what the decoder of a request reads.
func (d *decoder[T]) FieldNames() []string {
	names := make([]string, len(d.fields))
	for i := range d.fields {
		names[i] = d.fields[i].name
	}
	return names
}

// DecodeStart decodes a start as the hot path does.
var DecodeStart = startDecoder.decode

// CheckJSON is what a body must pass before it is decoded.
var CheckJSON = checkJSON

// MaxDepth is how deep JSON may be nested.
const MaxDepth = maxDepth

// Decoders lists the fields that each decoder reads, by the request's schema.
func Decoders() map[string][]string {
	return map[string][]string{
		"StartRequest": startDecoder.FieldNames(), "CancelRequest": cancelDecoder.FieldNames(),
		"SignalRequest": signalDecoder.FieldNames(), "Completion": completionDecoder.FieldNames(),
		"ReplayRequest": replayDecoder.FieldNames(), "ResolveRequest": resolveDecoder.FieldNames(),
	}
}
