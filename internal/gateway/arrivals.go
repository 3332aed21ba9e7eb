package gateway

import (
	"net/http"
	"sync"
	"time"

	"github.com/unwindhq/unwind/participant"
)

// An Arrival is one call as the gateway saw it come in.
type Arrival struct {
	At  time.Time `json:"at"`
	Key string    `json:"key"`
	// Borne says that the call had, or will have, its effect.
	Borne bool `json:"borne"`
	// Status is that of the answer; zero: 200, or none is given.
	Status       int  `json:"status,omitempty"`
	Fate         Fate `json:"fate,omitempty"`
	Compensation bool `json:"compensation"`
}

// maxArrivals bounds the list.
const maxArrivals = 1 << 20

// Arrivals is the list of the calls that came to a gateway, in their order. The
// zero value is empty and ready; it is safe for concurrent use.
type Arrivals struct {
	mu      sync.Mutex
	list    []Arrival
	dropped int
}

func (l *Arrivals) add(now time.Time, r *http.Request, v Verdict) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == maxArrivals {
		l.dropped++
		return
	}
	l.list = append(l.list, Arrival{
		At: now, Key: r.Header.Get(participant.HeaderKey), Borne: v.Borne(), Status: v.Status, Fate: v.Fate,
		Compensation: r.Header.Get(participant.HeaderDirection) == string(participant.Compensation),
	})
}

// List returns the calls so far, and how many more found no room.
func (l *Arrivals) List() (list []Arrival, dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Arrival(nil), l.list...), l.dropped
}
