// Rollout takes one service through a rolling update and adds up what a kube-proxy that watches it is
// sent: by EndpointSlices, and by the older Endpoints.
//
// The first half of the pods is there, the other half is what takes its place. A few at a time come
// with an address, become ready, whereupon as many old ones begin to terminate, and are gone. After
// each of these four the controller brings the slices up to date.
package main

import (
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/selectord/selectord/load-tests/peers/cluster"
	"github.com/selectord/selectord/load-tests/peers/controller"
	"github.com/selectord/selectord/load-tests/peers/report"
)

// The totals are printed whenever so much of the rollout is done.
const parts = 10

func main() {
	words := report.Arguments("CLUSTER", "PODS_AT_A_TIME")
	report.Modules("k8s.io/api", "k8s.io/endpointslice")
	step, err := strconv.Atoi(words[1])
	report.Check(err)
	c := controller.New(words[0])
	var pods []*corev1.Pod
	cluster.Read(words[0], cluster.Handler{Pod: func(pod *corev1.Pod) { pods = append(pods, pod) }})
	before, after := pods[:len(pods)/2], pods[len(pods)/2:]
	for _, pod := range after {
		report.Check(c.Pods.Delete(pod))
	}
	service := c.Services.List()[0].(*corev1.Service)
	c.Sync(service)

	slices, endpoints := newWatcher(discovery.SchemeGroupVersion), newWatcher(corev1.SchemeGroupVersion)
	c.Written = func(event watch.EventType, slice *discovery.EndpointSlice) { slices.send(event, slice) }
	older := newOlder(service, before)
	var times []time.Duration
	sync := func() {
		whole, _ := c.Sync(service)
		times = append(times, whole)
		if older.changed() {
			endpoints.send(watch.Modified, older.object)
		}
	}
	done := func(count int) {
		part := strconv.Itoa(count)
		report.Answer("endpoints after "+part, c.Endpoints(service))
		report.Figure("slices after "+part, float64(slices.bytes))
		report.Figure("endpoints after "+part, float64(endpoints.bytes))
	}
	for at := 0; at < len(before); at += step {
		to := min(at+step, len(before))
		for _, pod := range after[at:to] {
			report.Check(c.Pods.Add(ready(pod, false)))
		}
		older.add(after[at:to])
		sync()
		for _, pod := range after[at:to] {
			report.Check(c.Pods.Update(ready(pod, true)))
		}
		older.ready()
		sync()
		for _, pod := range before[at:to] {
			report.Check(c.Pods.Update(terminating(pod)))
		}
		older.remove(to - at)
		sync()
		for _, pod := range before[at:to] {
			report.Check(c.Pods.Delete(pod))
		}
		sync()
		if to*parts/len(before) > at*parts/len(before) {
			done(to)
		}
	}
	report.Figure("slice writes", float64(slices.events))
	report.Figure("endpoints writes", float64(endpoints.events))
	report.Times("sync", times)
	report.Done()
}

func ready(pod *corev1.Pod, ready bool) *corev1.Pod {
	pod = pod.DeepCopy()
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	return pod
}

func terminating(pod *corev1.Pod) *corev1.Pod {
	pod = ready(pod, true)
	now := metav1.Now()
	pod.DeletionTimestamp = &now
	return pod
}
