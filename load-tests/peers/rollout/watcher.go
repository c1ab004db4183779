package main

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	restwatch "k8s.io/client-go/rest/watch"

	"github.com/selectord/selectord/load-tests/peers/report"
)

// watcher counts the bytes of a watch as the API server encodes it for kube-proxy: Kubernetes'
// protobuf, each object in its envelope, in a watch event, in a frame.
type watcher struct {
	encoder *restwatch.Encoder
	events  int64
	bytes   int64
}

func newWatcher(version schema.GroupVersion) *watcher {
	types := scheme.Codecs.SupportedMediaTypes()
	info, known := runtime.SerializerInfoForMediaType(types, runtime.ContentTypeProtobuf)
	if !known {
		report.Fail("client-go does not know protobuf")
	}
	w := &watcher{}
	frames := streaming.NewEncoder(info.StreamSerializer.Framer.NewFrameWriter(w), info.StreamSerializer.Serializer)
	w.encoder = restwatch.NewEncoder(frames, scheme.Codecs.EncoderForVersion(info.Serializer, version))
	return w
}

func (w *watcher) Write(encoded []byte) (int, error) {
	w.bytes += int64(len(encoded))
	return len(encoded), nil
}

func (w *watcher) send(event watch.EventType, object runtime.Object) {
	w.events++
	report.Check(w.encoder.Encode(&watch.Event{Type: event, Object: object}))
}
