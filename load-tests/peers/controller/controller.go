// Package controller drives Kubernetes' own EndpointSlice reconciler as its controller does: from
// informers' caches, with a fake client in the API server's place.
package controller

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/endpointslice"
	"k8s.io/endpointslice/metrics"
	"k8s.io/endpointslice/topologycache"
	endpointsliceutil "k8s.io/endpointslice/util"
	"k8s.io/klog/v2"

	"github.com/selectord/selectord/load-tests/peers/cluster"
	"github.com/selectord/selectord/load-tests/peers/report"
)

const (
	name = "endpointslice-controller.k8s.io"
	// The default of kube-controller-manager.
	endpointsPerSlice = 100
)

// Controller holds the caches and the reconciler.
type Controller struct {
	Pods     cache.Indexer
	Services cache.Indexer
	// Written is told of each write of a slice, as a watcher would be.
	Written func(watch.EventType, *discovery.EndpointSlice)

	nodes      cache.Indexer
	slices     cache.Indexer
	client     *fake.Clientset
	triggers   *endpointsliceutil.TriggerTimeTracker
	reconciler *endpointslice.Reconciler
	writes     int64
}

// New makes a controller that knows a cluster; no service has slices yet. Services with a set-based
// selector are left out.
func New(path string) *Controller {
	metrics.RegisterMetrics()
	c := &Controller{
		Pods:     indexer(),
		Services: indexer(),
		Written:  func(watch.EventType, *discovery.EndpointSlice) {},
		nodes:    indexer(),
		slices:   indexer(),
		client:   fake.NewClientset(),
		triggers: endpointsliceutil.NewTriggerTimeTracker(),
	}
	c.client.PrependReactor("*", "endpointslices", c.react)
	c.reconciler = endpointslice.NewReconciler(c.client, corelisters.NewNodeLister(c.nodes), endpointsPerSlice,
		endpointsliceutil.NewEndpointSliceTracker(), topologycache.NewTopologyCache(), record.NewFakeRecorder(0),
		name, endpointslice.WithTrafficDistributionEnabled(true, true))
	cluster.Read(path, cluster.Handler{
		Node: func(node *corev1.Node) { report.Check(c.nodes.Add(node)) },
		Pod:  func(pod *corev1.Pod) { report.Check(c.Pods.Add(pod)) },
		Service: func(service cluster.Service) {
			if service.Set == nil {
				report.Check(c.Services.Add(service.Service))
			}
		},
	})
	return c
}

func indexer() cache.Indexer {
	return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{
		cache.NamespaceIndex: cache.MetaNamespaceIndexFunc,
	})
}

// Sync brings the slices of a service up to date, as the controller's syncService does, and answers
// how long that took: all of it, and the reconciler alone.
func (c *Controller) Sync(service *corev1.Service) (whole, reconciling time.Duration) {
	start := time.Now()
	pods, err := corelisters.NewPodLister(c.Pods).Pods(service.Namespace).
		List(labels.Set(service.Spec.Selector).AsSelectorPreValidated())
	report.Check(err)
	slices := c.SlicesOf(service)
	triggered := c.triggers.ComputeEndpointLastChangeTriggerTime(service.Namespace, service, pods)
	reconcile := time.Now()
	report.Check(c.reconciler.Reconcile(klog.Background(), service, pods, slices, triggered))
	end := time.Now()
	// The fake client remembers each call, which a real one does not.
	c.client.ClearActions()
	return end.Sub(start), end.Sub(reconcile)
}

// SlicesOf lists the slices of a service.
func (c *Controller) SlicesOf(service *corev1.Service) []*discovery.EndpointSlice {
	selector := labels.Set{discovery.LabelServiceName: service.Name, discovery.LabelManagedBy: name}
	slices, err := discoverylisters.NewEndpointSliceLister(c.slices).EndpointSlices(service.Namespace).
		List(selector.AsSelectorPreValidated())
	report.Check(err)
	return slices
}

// Endpoints writes out the endpoints that the slices of a service hold.
func (c *Controller) Endpoints(service *corev1.Service) []string {
	var endpoints []string
	for _, slice := range c.SlicesOf(service) {
		var ports []string
		for _, port := range slice.Ports {
			ports = append(ports, fmt.Sprintf("%s=%d", *port.Name, *port.Port))
		}
		sort.Strings(ports)
		for _, endpoint := range slice.Endpoints {
			endpoints = append(endpoints, fmt.Sprintf("%s %s %s ready=%t serving=%t terminating=%t %s %s %s",
				endpoint.Addresses[0], endpoint.TargetRef.Name, endpoint.TargetRef.UID, *endpoint.Conditions.Ready,
				*endpoint.Conditions.Serving, *endpoint.Conditions.Terminating, *endpoint.NodeName, *endpoint.Zone,
				strings.Join(ports, " ")))
		}
	}
	return endpoints
}

// react does what the API server does to a slice that is written.
func (c *Controller) react(action clienttesting.Action) (bool, runtime.Object, error) {
	c.writes++
	switch action := action.(type) {
	case clienttesting.CreateActionImpl:
		slice := action.GetObject().(*discovery.EndpointSlice)
		for taken := true; taken; _, taken, _ = c.slices.Get(slice) {
			slice.UID = uuid.NewUUID()
			slice.Name = slice.GenerateName + string(slice.UID)[:5]
		}
		slice.CreationTimestamp = metav1.Now()
		return c.store(watch.Added, slice)
	case clienttesting.UpdateActionImpl:
		return c.store(watch.Modified, action.GetObject().(*discovery.EndpointSlice))
	case clienttesting.DeleteActionImpl:
		key := types.NamespacedName{Namespace: action.Namespace, Name: action.Name}.String()
		slice, _, err := c.slices.GetByKey(key)
		report.Check(err)
		report.Check(c.slices.Delete(slice))
		c.Written(watch.Deleted, slice.(*discovery.EndpointSlice))
		return true, nil, nil
	default:
		return true, nil, fmt.Errorf("the reconciler does not do this: %v", action)
	}
}

func (c *Controller) store(event watch.EventType, slice *discovery.EndpointSlice) (bool, runtime.Object, error) {
	slice.Generation++
	slice.ResourceVersion = strconv.FormatInt(c.writes, 10)
	report.Check(c.slices.Update(slice))
	c.Written(event, slice)
	return true, slice, nil
}
