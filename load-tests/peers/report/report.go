// Package report prints what a peer answered and how long it took, a JSON object a line.
package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

type answer struct {
	Answer string   `json:"answer"`
	Values []string `json:"values"`
}

type figure struct {
	Figure string    `json:"figure"`
	Runs   []float64 `json:"runs"`
}

type version struct {
	Version string `json:"version"`
}

var out = bufio.NewWriterSize(os.Stdout, 1<<20)

func print(line any) {
	encoded, err := json.Marshal(line)
	Check(err)
	_, err = out.Write(append(encoded, '\n'))
	Check(err)
}

// Answer prints what was asked about something; the values are a set.
func Answer(item string, values []string) {
	slices.Sort(values)
	print(answer{item, values})
}

// Figure prints a number that is no time: bytes, counts.
func Figure(item string, value float64) {
	print(figure{item, []float64{value}})
}

// Many measurements are told as so many runs, each the mean of those that follow one another.
const runs = 11

// Times prints nanoseconds.
func Times(item string, times []time.Duration) {
	var means []float64
	for part := range slices.Chunk(times, (len(times)+runs-1)/runs) {
		var sum time.Duration
		for _, time := range part {
			sum += time
		}
		means = append(means, float64(sum.Nanoseconds())/float64(len(part)))
	}
	print(figure{item, means})
}

// Modules prints which versions of these modules are compiled in, and by which Go.
func Modules(paths ...string) {
	text := runtime.Version()
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if slices.Contains(paths, module.Path) {
			text += fmt.Sprintf(", %s %s", module.Path, module.Version)
		}
	}
	text += fmt.Sprintf(", GOMAXPROCS=%d", runtime.GOMAXPROCS(0))
	print(version{text})
}

// Heap is the number of bytes in use after a collection.
func Heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// Check ends the program if there is an error.
func Check(err error) {
	if err != nil {
		Fail("%v", err)
	}
}

// Fail ends the program.
func Fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

// Arguments answers the words of the command line, if there are as many as are named.
func Arguments(names ...string) []string {
	if len(os.Args) != len(names)+1 {
		Fail("usage: %s %v", os.Args[0], names)
	}
	return os.Args[1:]
}

// Done writes what is still to be written.
func Done() {
	Check(out.Flush())
}
