// Slices keeps the EndpointSlices of a cluster through changes of its pods: brought up to date once
// after all of them, or after each, as the controller does, and then timed.
package main

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	endpointsliceutil "k8s.io/endpointslice/util"

	"github.com/selectord/selectord/load-tests/peers/cluster"
	"github.com/selectord/selectord/load-tests/peers/controller"
	"github.com/selectord/selectord/load-tests/peers/report"
)

func main() {
	words := report.Arguments("CLUSTER", "CHANGES", "each|once")
	report.Modules("k8s.io/client-go", "k8s.io/endpointslice")
	c := controller.New(words[0])
	for _, service := range c.Services.List() {
		c.Sync(service.(*corev1.Service))
	}
	changes := cluster.Changes(words[1])
	if words[2] == "each" {
		syncEach(c, changes)
	} else {
		syncOnce(c, changes)
	}
	for _, service := range c.Services.List() {
		service := service.(*corev1.Service)
		report.Answer(service.Namespace+"/"+service.Name, c.Endpoints(service))
	}
	report.Done()
}

func syncEach(c *controller.Controller, changes []cluster.Change) {
	var whole, reconciling []time.Duration
	for _, change := range changes {
		old, _, err := c.Pods.Get(change.Object)
		report.Check(err)
		report.Check(c.Pods.Update(change.Object))
		start := time.Now()
		lister := corelisters.NewServiceLister(c.Services)
		concerned := endpointsliceutil.GetServicesToUpdateOnPodChange(lister, old, change.Object)
		finding := time.Since(start)
		for key := range concerned {
			service, _, err := c.Services.GetByKey(key)
			report.Check(err)
			all, reconciler := c.Sync(service.(*corev1.Service))
			whole = append(whole, finding+all)
			reconciling = append(reconciling, reconciler)
		}
	}
	report.Times("sync", whole)
	report.Times("reconciler alone", reconciling)
}

func syncOnce(c *controller.Controller, changes []cluster.Change) {
	for _, change := range changes {
		if change.Type == "REPLACED" {
			deleted := &corev1.Pod{}
			deleted.Namespace, deleted.Name = change.Deleted.Namespace, change.Deleted.Name
			report.Check(c.Pods.Delete(deleted))
		}
		report.Check(c.Pods.Update(change.Object))
	}
	for _, service := range c.Services.List() {
		c.Sync(service.(*corev1.Service))
	}
}
