// Lister answers selectors as Kubernetes' controllers do, from an informer's cache, and finds the
// services that a relabelled pod enters or leaves.
package main

import (
	"runtime"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	endpointsliceutil "k8s.io/endpointslice/util"

	"github.com/selectord/selectord/load-tests/peers/cluster"
	"github.com/selectord/selectord/load-tests/peers/report"
)

// Each question is asked so often.
const repetitions = 7

func main() {
	words := report.Arguments("CLUSTER", "QUERIES", "RELABELS")
	report.Modules("k8s.io/apimachinery", "k8s.io/client-go", "k8s.io/endpointslice")
	pods, services := indexer(), indexer()
	empty := report.Heap()
	cluster.Read(words[0], cluster.Handler{Pod: func(pod *corev1.Pod) { report.Check(pods.Add(pod)) }})
	report.Figure("heap", float64(report.Heap()-empty))
	cluster.Read(words[0], cluster.Handler{Service: func(service cluster.Service) {
		report.Check(services.Add(service.Service))
	}})
	for _, query := range cluster.Queries(words[1]) {
		answer(corelisters.NewPodLister(pods), query)
	}
	relabel(pods, corelisters.NewServiceLister(services), cluster.Changes(words[2]))
	report.Done()
}

func indexer() cache.Indexer {
	return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{
		cache.NamespaceIndex: cache.MetaNamespaceIndexFunc,
	})
}

func answer(lister corelisters.PodLister, query cluster.Query) {
	selector, err := labels.Parse(query.Selector)
	report.Check(err)
	list := func() ([]*corev1.Pod, error) {
		if query.Namespace != "" {
			return lister.Pods(query.Namespace).List(selector)
		}
		return lister.List(selector)
	}
	var found []*corev1.Pod
	var times []time.Duration
	for range repetitions {
		runtime.GC()
		start := time.Now()
		found, err = list()
		times = append(times, time.Since(start))
		report.Check(err)
	}
	names := make([]string, len(found))
	for i, pod := range found {
		names[i] = pod.Namespace + "/" + pod.Name
	}
	report.Answer(query.Name, names)
	report.Times(query.Name, times)
}

// relabel prints, of each change, which services it concerns.
func relabel(pods cache.Indexer, services corelisters.ServiceLister, changes []cluster.Change) {
	var times []time.Duration
	for _, change := range changes {
		old, _, err := pods.Get(change.Object)
		report.Check(err)
		start := time.Now()
		concerned := endpointsliceutil.GetServicesToUpdateOnPodChange(services, old, change.Object)
		times = append(times, time.Since(start))
		report.Answer("relabel", concerned.UnsortedList())
		report.Check(pods.Update(change.Object))
	}
	if len(times) > 0 {
		report.Times("relabel", times)
	}
}
