package storetest

import (
	"fmt"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// alerted writes n alerts that are over at once and returns their messages, oldest first.
func (s *scene) alerted(n int) []string {
	var messages []string
	for range n {
		a := store.Alert{At: s.tick(), Kind: unwind.AlertServiceFault, Service: "payments"}
		a.Message = fmt.Sprintf("alert of %d", a.At)
		s.alert(a)
		messages = append(messages, a.Message)
	}
	return messages
}

func (s *scene) alert(alerts ...store.Alert) { s.write(&store.Batch{Alerts: alerts}) }

// fires is an alert that fires, and ends the end of it.
func (s *scene) fires(key string) store.Alert {
	return store.Alert{At: s.tick(), Kind: unwind.AlertBreaker, Key: key, Service: "payments", Message: key + " fires", Data: []byte(`{"of":"` + key + `"}`)}
}

func (s *scene) ends(key string) store.Alert {
	return store.Alert{At: s.tick(), Key: key, Message: key + " is over", Ends: true}
}

func messagesOf(alerts []store.Alert) []string {
	var messages []string
	for i := range alerts {
		messages = append(messages, alerts[i].Message)
	}
	return messages
}

func (s *scene) pending(sink string) []store.Alert {
	s.Helper()
	return must(s.PendingAlerts(s.Context(), sink, 0))(s)
}

func (s *scene) sinks(names ...string) {
	s.Helper()
	if err := s.AlertSinks(s.Context(), s.epoch, names); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) deliver(sink string, upTo int64) {
	s.Helper()
	if err := s.AlertsDelivered(s.Context(), s.epoch, sink, upTo); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) alerts(f store.AlertFilter) []store.Alert {
	s.Helper()
	alerts, _ := mustPage(s.Alerts(s.Context(), f))(s)
	return alerts
}

func (s *scene) purgeAlerts(before int64, limit int) int {
	s.Helper()
	return must(s.PurgeAlerts(s.Context(), s.epoch, before, limit))(s)
}

func alertIsWrittenWithWhatItCovers(s *scene) {
	t := s.anonymous()
	want := []store.Alert{
		{At: s.now, Kind: unwind.AlertDeadLetter, Key: "dead_letter/g1", Saga: t.Saga, Service: "payments", Message: "refund failed", Data: []byte(`{"step":"charge"}`)},
		// What became of it is the store's to say.
		{At: s.now, Kind: unwind.AlertDeadline, Saga: t.Saga, ID: 99, ResolvedAt: 7, Resolves: 9, Delivered: true},
		{At: 0, Kind: unwind.AlertLaneGuard, Service: "payments"},
	}
	t.Alerts = want[:2]
	s.write(&store.Batch{Transitions: []store.Transition{t}, Alerts: want[2:]})
	pending := s.pending("")
	for i := range pending {
		if pending[i].ID <= 0 || i > 0 && pending[i].ID <= pending[i-1].ID {
			s.Errorf("alert %d has the id %d; ids are positive and rise", i, pending[i].ID)
		}
		pending[i].ID = 0
	}
	want[1].ID, want[1].ResolvedAt, want[1].Resolves, want[1].Delivered = 0, s.now, 0, false
	want[2].ResolvedAt = 1
	s.is("the pending alerts, oldest first", pending, want)
}

func alertFiresOnceUntilItEnds(s *scene) {
	s.alert(s.fires("a"), s.fires("b"), s.fires("a"))
	s.alert(s.fires("a"))
	s.is("what fires", messagesOf(s.alerts(store.AlertFilter{Firing: true})), []string{"b fires", "a fires"})
	end := s.ends("a")
	s.alert(end, s.ends("a"), s.ends("never"))
	all := s.alerts(store.AlertFilter{Notices: true})
	s.is("all there is", messagesOf(all), []string{"a is over", "b fires", "a fires"})
	first := all[2]
	want := first
	want.ID, want.Message, want.Resolves = all[0].ID, end.Message, first.ID
	s.is("the notice", all[0], want)
	s.is("when it was over", first.ResolvedAt, end.At)
	s.is("what fires then", messagesOf(s.alerts(store.AlertFilter{Firing: true, Notices: true})), []string{"b fires"})
	s.alert(s.fires("a"), s.ends("a"), s.fires("a"))
	s.is("the alerts", messagesOf(s.alerts(store.AlertFilter{})), []string{"a fires", "a fires", "b fires", "a fires"})
	s.is("what is told", len(s.pending("")), 6)
}

func alertsAreSelectedByKind(s *scene) {
	for i, kind := range []string{unwind.AlertBreaker, unwind.AlertDeadLetter, unwind.AlertStuck, unwind.AlertDeadLetter} {
		a := s.fires(fmt.Sprint(i))
		a.Kind = kind
		s.alert(a)
	}
	s.alert(s.ends("1"))
	kinds := []string{unwind.AlertDeadLetter, unwind.AlertStuck}
	s.is("those of two kinds", messagesOf(s.alerts(store.AlertFilter{Kinds: kinds})), []string{"3 fires", "2 fires", "1 fires"})
	s.is("those of them that fire", messagesOf(s.alerts(store.AlertFilter{Kinds: kinds, Firing: true})), []string{"3 fires", "2 fires"})
	s.is("all that fire, page by page", messagesOf(pages(s, 2, func(cursor string, limit int) ([]store.Alert, string, error) {
		return s.Alerts(s.Context(), store.AlertFilter{Firing: true, Cursor: cursor, Limit: limit})
	})), []string{"3 fires", "2 fires", "0 fires"})
}

func alertIsPendingUntilItIsDelivered(s *scene) {
	messages := s.alerted(5)
	s.sinks("pager", "chat")
	pending := s.pending("pager")
	s.is("what is pending", messagesOf(pending), messages)
	s.deliver("pager", pending[3].ID)
	s.deliver("pager", pending[0].ID)   // it had that
	s.deliver("nobody", pending[4].ID)  // nobody is waited for
	s.deliver("chat", pending[1].ID)    // one that is slow
	s.deliver("pager", pending[4].ID-1) // twice
	s.is("what one sink lacks", messagesOf(s.pending("pager")), messages[4:])
	s.is("what the other lacks", messagesOf(s.pending("chat")), messages[2:])
	s.is("what the stats count", must(s.Stats(s.Context()))(s).AlertsPending, int64(3))
	var delivered []bool
	for _, a := range s.alerts(store.AlertFilter{}) {
		delivered = append(delivered, a.Delivered)
	}
	s.is("which every sink has, newest first", delivered, []bool{false, false, false, true, true})
	s.is("the first two that one lacks", messagesOf(must(s.PendingAlerts(s.Context(), "chat", 2))(s)), messages[2:4])
	s.deliver("chat", pending[4].ID+1000) // no more than there is
	s.deliver("pager", pending[4].ID+1000)
	s.is("the next alert of each", [][]string{s.alerted(1), messagesOf(s.pending("chat"))}[1], messagesOf(s.pending("pager")))
	s.is("how many it lacks", len(s.pending("pager")), 1)
}

func sinksComeAndGo(s *scene) {
	messages := s.alerted(4)
	s.sinks("pager", "chat")
	s.deliver("pager", s.pending("pager")[2].ID)
	s.deliver("chat", s.pending("chat")[0].ID)
	s.sinks("pager", "chat", "mail", "mail")
	s.is("what a new sink lacks", messagesOf(s.pending("mail")), messages[1:])
	s.sinks("pager")
	s.is("what is pending once the slow one is gone", must(s.Stats(s.Context()))(s).AlertsPending, int64(1))
	s.sinks("pager", "chat")
	s.is("what it lacks when it comes again", messagesOf(s.pending("chat")), messages[3:])
	s.sinks()
	s.is("what is pending without any", must(s.Stats(s.Context()))(s).AlertsPending, int64(1))
}

func alertsArePurgedOnceTheyAreOverAndTold(s *scene) {
	s.sinks("pager")
	s.alert(s.fires("a"), s.fires("b"))
	end := s.ends("a")
	s.alert(end)
	young := s.alerted(1)
	s.is("how many go untold", s.purgeAlerts(s.now+1, 0), 0)
	told := s.pending("pager")
	s.deliver("pager", told[0].ID)
	s.is("how many go before its time", s.purgeAlerts(end.At, 0), 0)
	s.is("how many go", s.purgeAlerts(end.At+1, 0), 1)
	s.deliver("pager", told[3].ID)
	s.is("how many go at once at most", s.purgeAlerts(s.now+1, 1), 1)
	s.is("what is left", messagesOf(s.alerts(store.AlertFilter{Notices: true})), []string{young[0], "b fires"})
	s.is("how many go at last", s.purgeAlerts(s.now+1, 0), 1)
	s.alert(s.fires("a"))
	if next := s.alerts(store.AlertFilter{})[0].ID; next <= told[3].ID {
		s.Errorf("an alert after the purge has the id %d, and %d was given before", next, told[3].ID)
	}
	s.is("what fires", messagesOf(s.alerts(store.AlertFilter{Firing: true})), []string{"a fires", "b fires"})
}

func alertsArePagedNewestFirst(s *scene) {
	want := s.alerted(23)
	slices.Reverse(want)
	for _, size := range []int{1, 5, 22, 23, 24} {
		s.is("the alerts page by page", messagesOf(pages(s, size, func(cursor string, limit int) ([]store.Alert, string, error) {
			return s.Alerts(s.Context(), store.AlertFilter{Cursor: cursor, Limit: limit})
		})), want)
	}
	first, next := mustPage(s.Alerts(s.Context(), store.AlertFilter{Limit: 10}))(s)
	s.alerted(3)
	rest, _ := mustPage(s.Alerts(s.Context(), store.AlertFilter{Cursor: next}))(s)
	s.is("the alerts while others come", messagesOf(append(first, rest...)), want)
}

// What fires goes on, and every sink goes on where it was.
func alertsOutliveARestart(s *scene, reopen func(*scene) *scene) {
	s.sinks("pager", "chat")
	s.alert(s.fires("a"), s.fires("b"))
	s.deliver("pager", s.pending("pager")[0].ID)
	s = reopen(s)
	s.join()
	s.alert(s.fires("a"), s.ends("b"))
	s.is("what fires", messagesOf(s.alerts(store.AlertFilter{Firing: true})), []string{"a fires"})
	s.is("what one sink lacks", messagesOf(s.pending("pager")), []string{"b fires", "b is over"})
	s.is("what the other lacks", messagesOf(s.pending("chat")), []string{"a fires", "b fires", "b is over"})
}
