// Package cluster reads the files that selectord's corpus writes: Kubernetes objects and changes of
// them, one JSON object a line.
package cluster

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/selectord/selectord/load-tests/peers/report"
)

// Service is a service as Kubernetes knows it, or one whose selector is set-based, which Kubernetes'
// own services cannot be: then its Spec.Selector is nil.
type Service struct {
	*corev1.Service
	Set *metav1.LabelSelector
}

// Handler is told of each object of a cluster. What it has no use for, it leaves out.
type Handler struct {
	Node    func(*corev1.Node)
	Service func(Service)
	Pod     func(*corev1.Pod)
}

// Change is a pod as it is now, and the name of another that it replaces, if Type is REPLACED.
type Change struct {
	Type    string `json:"type"`
	Deleted struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"deleted"`
	Object *corev1.Pod `json:"object"`
}

// Query is a question for the pods that match.
type Query struct {
	Name      string `json:"name"`
	Selector  string `json:"selector"`
	Namespace string `json:"namespace"`
}

// Read tells the handler of each object of a file.
func Read(path string, handler Handler) {
	lines(path, func(line []byte) {
		var head struct {
			Kind string `json:"kind"`
		}
		report.Check(json.Unmarshal(line, &head))
		switch {
		case head.Kind == "Node" && handler.Node != nil:
			handler.Node(decode[corev1.Node](line))
		case head.Kind == "Service" && handler.Service != nil:
			handler.Service(service(line))
		case head.Kind == "Pod" && handler.Pod != nil:
			handler.Pod(admitted(decode[corev1.Pod](line)))
		}
	})
}

// Changes reads a file of changes.
func Changes(path string) []Change {
	changes := list[Change](path)
	for _, change := range changes {
		admitted(change.Object)
	}
	return changes
}

// Queries reads a file of questions.
func Queries(path string) []Query {
	return list[Query](path)
}

func list[T any](path string) []T {
	var items []T
	lines(path, func(line []byte) { items = append(items, *decode[T](line)) })
	return items
}

func lines(path string, handle func([]byte)) {
	file, err := os.Open(path)
	report.Check(err)
	defer file.Close()
	reader := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := reader.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		report.Check(err)
		handle(line)
	}
}

func decode[T any](line []byte) *T {
	object := new(T)
	report.Check(json.Unmarshal(line, object))
	return object
}

// service reads a selector of either form, and sets what the API server would set.
func service(line []byte) Service {
	fields := decode[struct {
		metav1.ObjectMeta `json:"metadata"`
		Spec              struct {
			corev1.ServiceSpec
			Selector json.RawMessage `json:"selector"`
		} `json:"spec"`
	}](line)
	service := Service{Service: &corev1.Service{ObjectMeta: fields.ObjectMeta, Spec: fields.Spec.ServiceSpec}}
	if json.Unmarshal(fields.Spec.Selector, &service.Spec.Selector) != nil {
		service.Spec.Selector = nil
		service.Set = decode[metav1.LabelSelector](fields.Spec.Selector)
	}
	service.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
	for i := range service.Spec.Ports {
		service.Spec.Ports[i].Protocol = corev1.ProtocolTCP
	}
	return service
}

var versions int

// admitted sets what the API server would set: no two versions of a pod have the same number.
func admitted(pod *corev1.Pod) *corev1.Pod {
	versions++
	pod.ResourceVersion = strconv.Itoa(versions)
	for i := range pod.Spec.Containers {
		ports := pod.Spec.Containers[i].Ports
		for j := range ports {
			ports[j].Protocol = corev1.ProtocolTCP
		}
	}
	return pod
}
