// Labelindex has Calico keep the members of one IP set a service, as Felix keeps those of a policy's
// selectors.
package main

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/projectcalico/calico/felix/ip"
	"github.com/projectcalico/calico/felix/labelindex"
	"github.com/projectcalico/calico/libcalico-go/lib/selector"
	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/selectord/selectord/load-tests/peers/cluster"
	"github.com/selectord/selectord/load-tests/peers/report"
)

// The label by which Calico says in which namespace a pod is.
const namespaceLabel = "projectcalico.org/namespace"

type members map[string]map[string]bool

func main() {
	words := report.Arguments("CLUSTER", "CHANGES")
	report.Modules("github.com/projectcalico/calico")
	logrus.SetLevel(logrus.WarnLevel)
	index := labelindex.NewSelectorAndNamedPortIndex()
	sets, touched := members{}, map[string]bool{}
	index.OnMemberAdded = func(set string, member labelindex.IPSetMember) {
		sets[set][member.CIDR.Addr().String()] = true
		touched[set] = true
	}
	index.OnMemberRemoved = func(set string, member labelindex.IPSetMember) {
		delete(sets[set], member.CIDR.Addr().String())
		touched[set] = true
	}

	empty := report.Heap()
	// Pods come before services: with the pods indexed, Calico finds those of a new selector sooner
	// than the selectors of a new pod.
	cluster.Read(words[0], cluster.Handler{Pod: func(pod *corev1.Pod) { update(index, labelled(pod)) }})
	report.Figure("heap", float64(report.Heap()-empty))
	var adding []time.Duration
	cluster.Read(words[0], cluster.Handler{Service: func(service cluster.Service) {
		name := service.Namespace + "/" + service.Name
		selector, err := selector.Parse(text(service))
		report.Check(err)
		sets[name] = map[string]bool{}
		start := time.Now()
		index.UpdateIPSet(name, selector, labelindex.ProtocolNone, "")
		adding = append(adding, time.Since(start))
	}})
	report.Times("new service", adding)

	times := map[string][]time.Duration{}
	for _, change := range cluster.Changes(words[1]) {
		clear(touched)
		labelled(change.Object)
		start := time.Now()
		if change.Type == "REPLACED" {
			index.DeleteEndpoint(change.Deleted.Namespace + "/" + change.Deleted.Name)
		}
		update(index, change.Object)
		times[change.Type] = append(times[change.Type], time.Since(start))
		report.Answer("change", keys(touched))
	}
	for kind, times := range times {
		report.Times(kind, times)
	}
	for set, addresses := range sets {
		report.Answer(set, keys(addresses))
	}
	report.Done()
}

// labelled says by a label where a pod is, as Calico's reader of Kubernetes does.
func labelled(pod *corev1.Pod) *corev1.Pod {
	pod.Labels[namespaceLabel] = pod.Namespace
	return pod
}

func update(index *labelindex.SelectorAndNamedPortIndex, pod *corev1.Pod) {
	nets := []ip.CIDR{ip.CIDRFromNetIP(net.ParseIP(pod.Status.PodIP))}
	index.UpdateEndpointOrSet(pod.Namespace+"/"+pod.Name, pod.Labels, nets, nil, nil)
}

// text is a service's selector in Calico's language, as it writes those of Kubernetes' policies.
func text(service cluster.Service) string {
	terms := []string{equal(namespaceLabel, service.Namespace)}
	for key, value := range service.Spec.Selector {
		terms = append(terms, equal(key, value))
	}
	if service.Set != nil {
		for _, requirement := range service.Set.MatchExpressions {
			terms = append(terms, term(requirement))
		}
	}
	return strings.Join(terms, " && ")
}

func equal(key, value string) string {
	return fmt.Sprintf("%s == %q", key, value)
}

func term(requirement metav1.LabelSelectorRequirement) string {
	values := make([]string, len(requirement.Values))
	for i, value := range requirement.Values {
		values[i] = fmt.Sprintf("%q", value)
	}
	switch list := strings.Join(values, ", "); requirement.Operator {
	case metav1.LabelSelectorOpIn:
		return fmt.Sprintf("%s in {%s}", requirement.Key, list)
	case metav1.LabelSelectorOpNotIn:
		return fmt.Sprintf("%s not in {%s}", requirement.Key, list)
	case metav1.LabelSelectorOpDoesNotExist:
		return fmt.Sprintf("!has(%s)", requirement.Key)
	default:
		report.Fail("no service of the corpus has %v", requirement.Operator)
		return ""
	}
}

func keys(set map[string]bool) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	return keys
}
