package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// What the proxier logs of a sync: it has failed, which comes first; it has ended, which comes last.
const (
	failed = "Sync failed"
	ended  = "SyncProxyRules complete"
)

// What it logs when it has listed what there is and knows what to write, in one of its modes and in the other.
var writes = []string{"Reloading service nftables data", "Reloading service iptables data"}

// Syncs knows when a sync writes and has ended, by what the proxier logs: nothing else tells it without being asked, and
// who asks takes processor time from it.
type syncs struct {
	*state
}

type state struct {
	lock   sync.Mutex
	failed bool
	errors []string
	writes time.Time
	ended  chan end
}

// How a sync ended, and how long the write that ended it took.
type end struct {
	write time.Duration
	err   error
}

// What something cost that caused a sync.
type cost struct {
	// From its beginning to the sync's end.
	whole time.Duration
	// Of it what the proxier's tool took to write.
	write time.Duration
}

func newSyncs() syncs {
	// The first sync is run by him who waits for its end.
	return syncs{&state{ended: make(chan end, 1)}}
}

// Runs something that causes one sync, and waits for the sync's end.
func (s syncs) timed(run func() error) (cost, error) {
	began := time.Now()
	if err := run(); err != nil {
		return cost{}, err
	}
	select {
	case end := <-s.ended:
		return cost{time.Since(began), end.write}, end.err
	case <-time.After(patience):
		return cost{}, errors.New("no sync has ended")
	}
}

func (s syncs) Init(logr.RuntimeInfo) {}

// Enabled is of what the proxier says of each sync: as in clusters, where -v=2 is usual.
func (s syncs) Enabled(level int) bool { return level <= 2 }

func (s syncs) Info(_ int, message string, _ ...any) {
	s.lock.Lock()
	defer s.lock.Unlock()
	switch {
	case slices.Contains(writes, message):
		s.writes = time.Now()
	case message == failed:
		s.failed = true
	case message == ended:
		end := end{write: time.Since(s.writes)}
		if s.failed {
			end.err = fmt.Errorf("a sync failed: %s", strings.Join(s.errors, "; "))
		}
		s.failed, s.errors = false, nil
		s.ended <- end
	}
}

func (s syncs) Error(err error, message string, _ ...any) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.errors = append(s.errors, fmt.Sprintf("%s: %v", message, err))
}

func (s syncs) WithValues(...any) logr.LogSink { return s }

func (s syncs) WithName(string) logr.LogSink { return s }
