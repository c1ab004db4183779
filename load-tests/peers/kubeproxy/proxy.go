package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/component-helpers/node/util/sysctl"
	"k8s.io/klog/v2"
	kubeproxy "k8s.io/kubernetes/pkg/proxy"
	"k8s.io/kubernetes/pkg/proxy/healthcheck"
	"k8s.io/kubernetes/pkg/proxy/iptables"
	"k8s.io/kubernetes/pkg/proxy/nftables"
	"k8s.io/kubernetes/pkg/proxy/util"
	utiliptables "k8s.io/kubernetes/pkg/util/iptables"
)

const (
	// As kube-proxy's defaults are.
	syncPeriod    = 30 * time.Second
	masqueradeBit = 14
	// What it waits for between two syncs: its default is a second.
	minSyncPeriod = 0
	// No sync takes that long.
	patience = 15 * time.Minute
)

// What kube-proxy is told of the node that it is on, and of the cluster.
type node struct {
	name           string
	ip             netip.Addr
	pods, services string
}

// A proxier, and the objects that its informers would hold.
type proxy struct {
	proxier  kubeproxy.Provider
	syncs    syncs
	services map[types.NamespacedName]*corev1.Service
}

// Makes the proxier as cmd/kube-proxy does where its configuration says nothing but the mode and the CIDRs.
func newProxy(mode string, node node) (*proxy, error) {
	p := &proxy{syncs: newSyncs(), services: map[types.NamespacedName]*corev1.Service{}}
	ctx := klog.NewContext(context.Background(), logr.New(p.syncs))
	family, protocol := corev1.IPv4Protocol, utiliptables.ProtocolIPv4
	if node.ip.Is6() {
		family, protocol = corev1.IPv6Protocol, utiliptables.ProtocolIPv6
	}
	local := util.NewDetectLocalByCIDR(node.pods)
	health := healthcheck.NewProxyHealthServer("", 2*syncPeriod, nil)
	recorder := &events.FakeRecorder{}
	var err error
	switch mode {
	case "nftables":
		// Node ports are at the node's primary address alone.
		nodePorts := []string{netip.PrefixFrom(node.ip, node.ip.BitLen()).String()}
		p.proxier, err = nftables.NewProxier(ctx, family, syncPeriod, minSyncPeriod, false, masqueradeBit,
			local, node.name, node.ip.AsSlice(), recorder, health, nodePorts, false)
	case "iptables":
		tool, onLoopback := utiliptables.New(protocol), protocol == utiliptables.ProtocolIPv4
		p.proxier, err = iptables.NewProxier(ctx, family, tool, sysctl.New(), syncPeriod, minSyncPeriod, false,
			onLoopback, masqueradeBit, local, node.name, node.ip.AsSlice(), recorder, health, nil, false)
	default:
		err = fmt.Errorf("there is no mode %q", mode)
	}
	if err != nil {
		return nil, err
	}
	p.proxier.OnServiceCIDRsChanged([]string{node.services})
	return p, nil
}

// Hands over what informers list first, and waits until it is written.
func (p *proxy) start(first []line) (cost, error) {
	spent, err := p.syncs.timed(func() error {
		for _, told := range first {
			if err := p.hand(told); err != nil {
				return err
			}
		}
		p.proxier.OnServiceSynced()
		p.proxier.OnEndpointSlicesSynced()
		return nil
	})
	// Before this none of the handlers has asked it for a sync.
	go p.proxier.SyncLoop()
	return spent, err
}

// Hands over one event, and waits until it is written.
func (p *proxy) tell(told line) (cost, error) {
	return p.syncs.timed(func() error { return p.hand(told) })
}

func (p *proxy) hand(told line) error {
	switch {
	case told.Type == "SYNC":
		p.proxier.Sync()
		return nil
	case told.Service != nil:
		return p.handService(told.Type, told.Service)
	case told.Slice != nil:
		switch told.Type {
		case "ADDED":
			p.proxier.OnEndpointSliceAdd(told.Slice)
		case "MODIFIED":
			// The slice as it was is not looked at.
			p.proxier.OnEndpointSliceUpdate(nil, told.Slice)
		case "DELETED":
			p.proxier.OnEndpointSliceDelete(told.Slice)
		default:
			return fmt.Errorf("there is no event %q", told.Type)
		}
		return nil
	}
	return fmt.Errorf("an event %q about nothing", told.Type)
}

func (p *proxy) handService(event string, service *corev1.Service) error {
	name := types.NamespacedName{Namespace: service.Namespace, Name: service.Name}
	before := p.services[name]
	if (before == nil) != (event == "ADDED") {
		return fmt.Errorf("an event %q, and the service %s is known: %t", event, name, before != nil)
	}
	switch event {
	case "ADDED":
		p.services[name] = service
		p.proxier.OnServiceAdd(service)
	case "MODIFIED":
		p.services[name] = service
		p.proxier.OnServiceUpdate(before, service)
	case "DELETED":
		delete(p.services, name)
		p.proxier.OnServiceDelete(before)
	default:
		return fmt.Errorf("there is no event %q", event)
	}
	return nil
}
