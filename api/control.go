package api

import (
	"net/http"

	"github.com/unwindhq/unwind"
)

// A PauseRequest asks for a lane to be paused.
type PauseRequest struct {
	Lane      string          `json:"lane" enum:"forward,compensation"`
	ExpiresIn unwind.Duration `json:"expires_in,omitempty" doc:"Ends the pause: then one that held before it holds again"`
	Reason    string          `json:"reason"`
}

// A LaneRequest asks for a paused lane to go on, or for its gate to be opened.
type LaneRequest struct {
	Lane   string `json:"lane" enum:"forward,compensation"`
	Reason string `json:"reason"`
}

// A ServiceChange sets limits of one lane above its configuration.
type ServiceChange struct {
	Forward      *unwind.LimitsChange `json:"forward,omitempty"`
	Compensation *unwind.LimitsChange `json:"compensation,omitempty"`
	// Reset names the lane whose limits are taken back first.
	Reset     string          `json:"reset,omitempty" enum:"forward,compensation"`
	ExpiresIn unwind.Duration `json:"expires_in,omitempty" doc:"Ends what is set now: then what held before it holds again"`
	Reason    string          `json:"reason"`
}

// A BreakerRequest holds a lane's breaker open or closed, or lets it decide.
type BreakerRequest struct {
	Lane      string          `json:"lane,omitempty" enum:"forward,compensation"`
	State     string          `json:"state" enum:"open,closed,auto"`
	ExpiresIn unwind.Duration `json:"expires_in,omitempty" doc:"Ends what is set now: then what held before it holds again"`
	Reason    string          `json:"reason"`
}

var (
	pauseDecoder   = newDecoder[PauseRequest]()
	laneDecoder    = newDecoder[LaneRequest]()
	changeDecoder  = newDecoder[ServiceChange]()
	breakerDecoder = newDecoder[BreakerRequest]()
	controlDecoder = newDecoder[unwind.ControlRequest]()
)

func (c *call) pause() error {
	var req PauseRequest
	if err := read(c, pauseDecoder, maxBody, &req); err != nil {
		return err
	}
	return c.changeLane(req.Lane, unwind.ControlRequest{Paused: new(true), ExpiresIn: req.ExpiresIn, Reason: req.Reason})
}

func (c *call) resume() error { return c.actOnLane(unwind.ControlRequest{Paused: new(false)}) }

func (c *call) openGate() error { return c.actOnLane(unwind.ControlRequest{OpenGate: true}) }

// actOnLane reads a request that says no more than which lane and why.
func (c *call) actOnLane(change unwind.ControlRequest) error {
	var req LaneRequest
	if err := read(c, laneDecoder, maxBody, &req); err != nil {
		return err
	}
	change.Reason = req.Reason
	return c.changeLane(req.Lane, change)
}

func (c *call) changeLane(lane string, change unwind.ControlRequest) (err error) {
	if change.Scope, err = c.lane(lane); err != nil {
		return err
	}
	return c.control(&change)
}

// limit changes one lane: of two, one might be refused when the other is in force.
func (c *call) limit() error {
	var req ServiceChange
	if err := read(c, changeDecoder, maxBody, &req); err != nil {
		return err
	}
	lane, change := unwind.CompensationLane, req.Compensation
	if req.Forward != nil || req.Reset == unwind.ForwardLane {
		lane, change = unwind.ForwardLane, req.Forward
	}
	if req.Forward != nil && req.Compensation != nil || req.Reset != "" && req.Reset != lane || lane == unwind.ForwardLane && req.Compensation != nil {
		return faulty([]unwind.Fault{{Pointer: "/" + lane, Message: "change one lane in a request"}})
	}
	scope, err := c.lane(lane)
	if err != nil {
		return err
	}
	return c.control(&unwind.ControlRequest{Scope: scope, Limits: change, Reset: req.Reset != "", ExpiresIn: req.ExpiresIn, Reason: req.Reason})
}

func (c *call) breaker() error {
	req := BreakerRequest{Lane: unwind.CompensationLane}
	if err := read(c, breakerDecoder, maxBody, &req); err != nil {
		return err
	}
	scope, err := c.lane(req.Lane)
	if err != nil {
		return err
	}
	mode := unwind.BreakerMode(req.State)
	return c.control(&unwind.ControlRequest{Scope: scope, Breaker: &mode, ExpiresIn: req.ExpiresIn, Reason: req.Reason})
}

// lane is the scope of a lane of the service in the path.
func (c *call) lane(name string) (unwind.Scope, error) {
	if name != unwind.ForwardLane && name != unwind.CompensationLane {
		return unwind.Scope{}, faulty([]unwind.Fault{{Pointer: "/lane", Message: "write one of forward, compensation"}})
	}
	return unwind.Scope{Kind: unwind.ScopeKind(name), Name: c.r.PathValue("name")}, nil
}

// control changes a lane of a service, and answers with the service.
func (c *call) control(req *unwind.ControlRequest) error {
	req.Actor = c.who.name
	if _, err := c.h.cfg.Service.Control(c.r.Context(), *req); err != nil {
		return err
	}
	return c.service()
}

func (c *call) scopes() error {
	if err := c.query(nil).err(); err != nil {
		return err
	}
	states, err := c.h.cfg.Service.Scopes(c.r.Context())
	return answerList(c, unwind.List[unwind.ScopeState]{Items: states}, err)
}

func (c *call) changeScope() error {
	req := unwind.ControlRequest{}
	if err := read(c, controlDecoder, maxBody, &req); err != nil {
		return err
	}
	req.Actor = c.who.name
	state, err := c.h.cfg.Service.Control(c.r.Context(), req)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, state)
}
