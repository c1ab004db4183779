package main

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
)

// older is the Endpoints object of a service, written out whole as it was until Kubernetes 1.22 cut
// it off at 1,000 addresses.
type older struct {
	object *corev1.Endpoints
	dirty  bool
}

func newOlder(service *corev1.Service, pods []*corev1.Pod) *older {
	http := pods[0].Spec.Containers[0].Ports[0].ContainerPort
	subset := corev1.EndpointSubset{
		Addresses: addresses(pods),
		Ports: []corev1.EndpointPort{
			{Name: "web", Port: http, Protocol: corev1.ProtocolTCP},
			{Name: "metrics", Port: 9090, Protocol: corev1.ProtocolTCP},
		},
	}
	return &older{object: &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:         service.Namespace,
			Name:              service.Name,
			UID:               uuid.NewUUID(),
			ResourceVersion:   "1000000",
			CreationTimestamp: metav1.Now(),
		},
		Subsets: []corev1.EndpointSubset{subset},
	}}
}

func addresses(pods []*corev1.Pod) []corev1.EndpointAddress {
	addresses := make([]corev1.EndpointAddress, len(pods))
	for i, pod := range pods {
		addresses[i] = corev1.EndpointAddress{
			IP:       pod.Status.PodIP,
			NodeName: &pod.Spec.NodeName,
			TargetRef: &corev1.ObjectReference{
				Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
			},
		}
	}
	return addresses
}

// changed says whether the object is to be written, and takes it as written.
func (o *older) changed() bool {
	changed := o.dirty
	o.dirty = false
	return changed
}

// add puts pods that are not ready.
func (o *older) add(pods []*corev1.Pod) {
	o.object.Subsets[0].NotReadyAddresses = addresses(pods)
	o.dirty = true
}

// ready makes those that were not ready ready.
func (o *older) ready() {
	subset := &o.object.Subsets[0]
	subset.Addresses = append(subset.Addresses, subset.NotReadyAddresses...)
	subset.NotReadyAddresses = nil
	o.dirty = true
}

// remove takes out so many of the oldest: those that terminate are no addresses any more.
func (o *older) remove(count int) {
	subset := &o.object.Subsets[0]
	subset.Addresses = subset.Addresses[count:]
	o.dirty = true
}
