package machine

func concurrent() {
	done := make(chan struct{}) // want "a channel in ./internal/machine"
	go close(done)              // want "a go statement in ./internal/machine"
	done <- struct{}{}          // want "a channel in ./internal/machine"
	<-done                      // want "a channel in ./internal/machine"
	select {                    // want "a channel in ./internal/machine"
	default:
	}
	for range done { // want "a channel in ./internal/machine"
	}
}
