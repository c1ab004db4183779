// Kubeproxy runs kube-proxy's own proxier of one mode and one family in this network namespace. On standard input
// it is told, a JSON object a line, what an API server's watches tell kube-proxy:
//
//	{"type":"ADDED","service":{…}}   {"type":"ADDED","slice":{…}}   as often as there are objects, then
//	{"type":"SYNCED"}                the rules of all of them are written: the first sync
//	{"type":"MODIFIED","slice":{…}}  or any other event: each is written before the next is read
//	{"type":"SYNC"}                  it looks at its rules though nothing has changed, as it does now and then
//
// From SYNCED on it answers each line with {"whole":…,"write":…}: the nanoseconds from the event to the end of the
// sync that wrote it, and of them those from when kube-proxy knew what to write. It ends with its input; the rules
// stay, as kube-proxy's do.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// What is told: an event about a service or a slice, or one of the two orders.
type line struct {
	Type    string                     `json:"type"`
	Service *corev1.Service            `json:"service"`
	Slice   *discoveryv1.EndpointSlice `json:"slice"`
}

type answer struct {
	Whole int64 `json:"whole"`
	Write int64 `json:"write"`
}

func main() {
	if len(os.Args) != 6 {
		fail(errors.New("usage: kubeproxy nftables|iptables NODE NODE-IP POD-CIDR SERVICE-CIDR"))
	}
	ip, err := netip.ParseAddr(os.Args[3])
	check(err)
	proxy, err := newProxy(os.Args[1], node{
		name: os.Args[2], ip: ip, pods: os.Args[4], services: os.Args[5],
	})
	check(err)
	out := json.NewEncoder(os.Stdout)
	in := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	var first []line
	for started := false; ; {
		var told line
		err := in.Decode(&told)
		if errors.Is(err, io.EOF) {
			return
		}
		check(err)
		var spent cost
		switch {
		case started:
			spent, err = proxy.tell(told)
		case told.Type == "SYNCED":
			spent, err = proxy.start(first)
			first, started = nil, true
		default:
			first = append(first, told)
			continue
		}
		check(err)
		check(out.Encode(answer{spent.whole.Nanoseconds(), spent.write.Nanoseconds()}))
	}
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
