"""The story of the README, told by a client in Python; and what a client offers that lost its server.

Stubs come from proto/ alone; the fold below is the one that proto/selectord/v1/watch.proto describes.
Every wait has a deadline, so that a server that keeps silent fails the test.
"""

import contextlib
import queue
import re
import signal
import subprocess
import struct
import sys
import time
import uuid

import grpc
from grpc_status import rpc_status
from google.rpc import error_details_pb2
from selectord.v1 import (
    admin_pb2,
    admin_pb2_grpc,
    cluster_pb2,
    cluster_pb2_grpc,
    query_pb2,
    query_pb2_grpc,
    types_pb2,
    watch_pb2,
    watch_pb2_grpc,
)

try:
    import xxhash
except ImportError:
    xxhash = None

DEADLINE = 180.0
ADDRESS = re.compile(r"\b(127\.0\.0\.1:[1-9]\d*)\b")


@contextlib.contextmanager
def server(binary):
    """Serves on a free port; yields the gRPC address it prints."""
    process = subprocess.Popen(
        [binary, "serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stdout:
            found = ADDRESS.search(line)
            if found and "http" not in line.lower().replace("http2", ""):
                yield found.group(1)
                break
        else:
            raise AssertionError(f"the server printed no address; exit code {process.wait()}")
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=DEADLINE)
        assert code == 0, f"after SIGTERM the server ended with {code}"
    finally:
        process.kill()
        process.wait()


class Client:
    def __init__(self, channel):
        self.cluster = cluster_pb2_grpc.ClusterStub(channel)
        self.query = query_pb2_grpc.QueryStub(channel)
        self.watch = watch_pb2_grpc.WatchStub(channel)
        self.admin = admin_pb2_grpc.AdminStub(channel)

    def commit(self, *operations, **fields):
        transaction = cluster_pb2.Transaction(operations=operations, **fields)
        return self.cluster.Commit(
            cluster_pb2.CommitRequest(transaction=transaction), timeout=DEADLINE
        )

    def count(self, selector, revision=0):
        request = query_pb2.CountPodsRequest(
            selector=types_pb2.Selector(text=selector), at_least_revision=revision
        )
        return self.query.CountPods(request, timeout=DEADLINE).count

    def names(self, selector, page_size=0):
        request = query_pb2.ListPodsRequest(
            selector=types_pb2.Selector(text=selector),
            page=query_pb2.PageRequest(page_size=page_size),
        )
        pages = self.query.ListPods(request, timeout=DEADLINE)
        return [item.pod.name for page in pages for item in page.pods]

    def endpoints(self, name):
        request = query_pb2.GetEndpointsRequest(namespace="default", name=name)
        parts = self.query.GetEndpoints(request, timeout=DEADLINE)
        return {e.identity.pod_name for part in parts for e in part.endpoints}

    def subscribers(self):
        request = admin_pb2.ListSubscribersRequest()
        listed = self.admin.ListSubscribers(request, timeout=DEADLINE).subscribers
        return [(s.name, s.sent_revision) for s in listed]


class Watcher:
    """Watches endpoints, and folds what it is sent."""

    def __init__(self, client, cursor=None):
        self.requests = queue.SimpleQueue()
        self.services = {}
        self.entries = {}
        self.doubtful = set()
        self.cursor = cursor
        self.scope = watch_pb2.WatchScope(services=watch_pb2.ServiceScope())
        self.connect(client)

    def connect(self, client):
        subscribe = watch_pb2.Subscribe(
            scope=self.scope,
            cursor=self.cursor,
            name="python",
            can_offer=xxhash is not None and self.cursor is not None,
        )
        self.requests.put(watch_pb2.WatchEndpointsRequest(subscribe=subscribe))
        self.stream = client.watch.WatchEndpoints(iter(self.requests.get, None), timeout=DEADLINE)

    def disconnect(self):
        self.requests.put(None)
        self.stream.cancel()
        self.requests = queue.SimpleQueue()

    def until(self, revision):
        """Folds up to a checkpoint at or behind this revision. Answers the events in between."""
        events = []
        for response in self.stream:
            for event in response.events:
                self.fold(event)
                if event.type == watch_pb2.EVENT_TYPE_CHECKPOINT:
                    self.cursor = event.checkpoint.cursor
                else:
                    events.append(event)
            if response.events and self.cursor and self.cursor.revision >= revision:
                if response.events[-1].type == watch_pb2.EVENT_TYPE_CHECKPOINT:
                    self.requests.put(
                        watch_pb2.WatchEndpointsRequest(applied_revision=self.cursor.revision)
                    )
                    return events
        raise AssertionError("the stream ended")

    def fold(self, event):
        key = (event.namespace, event.name)
        if event.type == watch_pb2.EVENT_TYPE_RESET:
            self.doubtful = set(self.services)
        elif event.type == watch_pb2.EVENT_TYPE_OFFER:
            self.doubtful = set()
            self.offer()
        elif event.type == watch_pb2.EVENT_TYPE_REMOVE:
            self.services.pop(key, None)
            self.entries.pop(key, None)
            self.doubtful.discard(key)
        elif event.type == watch_pb2.EVENT_TYPE_CHECKPOINT:
            for gone in self.doubtful:
                del self.services[gone]
                del self.entries[gone]
            self.doubtful = set()
        else:
            if event.type == watch_pb2.EVENT_TYPE_REPLACE:
                self.services[key] = {}
                self.doubtful.discard(key)
            if event.HasField("service"):
                self.entries[key] = (event.service, event.service_revision)
            elif event.service_revision:
                self.entries[key] = (self.entries[key][0], event.service_revision)
            endpoints = self.services[key]
            complete_names(event)
            for endpoint in event.endpoints:
                endpoints[endpoint.identity.SerializeToString(deterministic=True)] = endpoint
            for identity in event.removed:
                endpoints.pop(identity.SerializeToString(deterministic=True), None)

    def offer(self, most=2):
        """Says what is held: a digest for each service, at most so many in a message."""
        held = []
        for key in sorted(self.services, key=lambda key: (key[0].encode(), key[1].encode())):
            service, revision = self.entries[key]
            records = [service_record(service)]
            records += [endpoint_record(endpoint) for endpoint in self.services[key].values()]
            digest = sum(xxhash.xxh3_128_intdigest(record) for record in records) % 2**128
            held.append(
                watch_pb2.HeldService(
                    namespace=key[0],
                    name=key[1],
                    digest=digest.to_bytes(16, "big"),
                    service_revision=revision,
                )
            )
        while True:
            part, held = held[:most], held[most:]
            offer = watch_pb2.Offer(services=part, last=not held)
            self.requests.put(watch_pb2.WatchEndpointsRequest(offer=offer))
            if not held:
                return

    def pods(self, name):
        endpoints = self.services[("default", name)].values()
        return {e.identity.pod_name for e in endpoints}


def number(value):
    return struct.pack(">I", value)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return number(len(data)) + data


def listed(values, record=text):
    return number(len(values)) + b"".join(record(value) for value in values)


def label_list(labels):
    pairs = sorted(labels, key=lambda label: label.key.encode())
    return listed(pairs, lambda label: text(label.key) + text(label.value))


def service_record(service):
    """The canonical bytes of a service: see HeldService in watch.proto."""

    def port(port):
        by_name = port.WhichOneof("target_port") == "target_name"
        target = text(port.target_name) if by_name else number(port.target_number or port.port)
        return b"".join(
            [
                text(port.name),
                number(port.protocol or 1),
                number(port.port),
                number(by_name),
                target,
                number(port.node_port),
                text(port.app_protocol),
            ]
        )

    of_set = service.HasField("set_selector")
    return b"".join(
        [
            number(1),
            text(service.namespace),
            text(service.name),
            text(service.uid),
            label_list(service.labels),
            text(service.creation_timestamp),
            text(service.deletion_timestamp),
            number(service.type or 1),
            label_list(service.selector),
            number(of_set) + (text(service.set_selector.text) if of_set else b""),
            listed(service.ports, port),
            listed(service.cluster_ips),
            listed(service.ip_families, number),
            text(service.external_name),
            listed(service.external_ips),
            listed(service.load_balancer_ips, lambda ip: text(ip.ip) + number(ip.proxied)),
            listed(service.load_balancer_source_ranges),
            number(service.session_affinity_seconds),
            number(service.internal_traffic_policy or 1),
            number(service.external_traffic_policy or 1),
            number(service.health_check_node_port),
            number(service.publish_not_ready_addresses),
            text(service.traffic_distribution),
            text(service.topology_mode),
        ]
    )


def endpoint_record(endpoint):
    def port(port):
        ends = number(port.number) + number(port.protocol or 1)
        return text(port.name) + ends + text(port.app_protocol)

    identity = endpoint.identity
    by_uuid = endpoint.WhichOneof("uid") == "uuid"
    own = endpoint.HasField("own_ports")
    return b"".join(
        [
            number(2),
            listed(identity.addresses),
            text(identity.hostname),
            text(identity.pod_name),
            text(identity.pod_namespace),
            text(str(uuid.UUID(bytes=endpoint.uuid)) if by_uuid else endpoint.uid_text),
            listed(endpoint.service_ports, number),
            number(own) + (listed(endpoint.own_ports.ports, port) if own else b""),
            number(endpoint.conditions),
            text(endpoint.node_name),
            text(endpoint.zone),
            listed(endpoint.zone_hints),
            listed(endpoint.node_hints),
        ]
    )


def complete_names(event):
    """Puts names that are given as suffixes behind the prefix of their event."""
    identities = [endpoint.identity for endpoint in event.endpoints] + list(event.removed)
    for identity in identities:
        if identity.pod_name_suffix:
            identity.pod_name = event.pod_name_prefix + identity.pod_name_suffix
            identity.ClearField("pod_name_suffix")
    for endpoint in event.endpoints:
        if endpoint.node_name_suffix:
            endpoint.node_name = event.node_name_prefix + endpoint.node_name_suffix
            endpoint.ClearField("node_name_suffix")
        if endpoint.zone_suffix:
            endpoint.zone = event.zone_prefix + endpoint.zone_suffix
            endpoint.ClearField("zone_suffix")


def labels(**pairs):
    return [types_pb2.Label(key=key.replace("_", "-"), value=value) for key, value in pairs.items()]


def put_pod(name, ip, **pairs):
    pod = types_pb2.Pod(
        namespace="default",
        name=name,
        labels=labels(**pairs),
        phase=types_pb2.Pod.PHASE_RUNNING,
        pod_ips=[ip],
        ready=types_pb2.Pod.CONDITION_STATUS_TRUE,
    )
    return cluster_pb2.Operation(put_pod=pod)


def put_service(name, **selector):
    service = types_pb2.Service(
        namespace="default",
        name=name,
        selector=labels(**selector),
        ports=[types_pb2.ServicePort(port=80)],
        cluster_ips=["10.96.0.10"],
        ip_families=[types_pb2.IP_FAMILY_IPV4],
    )
    return cluster_pb2.Operation(put_service=service)


def patch(selector, set=(), remove=()):
    target = cluster_pb2.LabelPatch.SelectorTarget(
        kind=types_pb2.KIND_POD, selector=types_pb2.Selector(text=selector)
    )
    return cluster_pb2.Operation(
        patch_labels=cluster_pb2.LabelPatch(matching=target, set=set, remove=remove)
    )


def refused(code, call):
    """Runs what must fail with this code; answers the rich status."""
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()}: {error.details()}"
        return error.details(), rpc_status.from_call(error)
    raise AssertionError(f"this was not refused with {code}")


def equal(found, expected, what):
    assert found == expected, f"{what}: {found!r}, expected {expected!r}"


def eventually(find, expected, what):
    end = time.monotonic() + DEADLINE
    while find() != expected and time.monotonic() < end:
        time.sleep(0.01)
    equal(find(), expected, what)


def tell(client):
    everybody = {"rng-replica", "rng-daemon-1", "rng-daemon-2"}

    # Pods and a service, in one transaction.
    everything = [
        put_service("rng", app="rng"),
        put_pod("rng-replica", "10.1.0.1", app="rng", pod_template_hash="x1"),
        put_pod("rng-daemon-1", "10.1.0.2", app="rng", controller_revision_hash="y1"),
        put_pod("rng-daemon-2", "10.1.0.3", app="rng", controller_revision_hash="y1"),
        put_pod("hasher", "10.1.0.4", app="hasher"),
    ]
    committed = client.commit(*everything, source="python", request_id="first")
    equal(len(committed.results), 5, "results")
    created = cluster_pb2.ObjectResult.OUTCOME_CREATED
    equal({result.outcome for result in committed.results}, {created}, "outcomes")

    # Queries.
    equal(client.count("app=rng"), 3, "pods of rng")
    equal(client.count("app in (rng,hasher),!controller-revision-hash"), 2, "pods of no set")
    equal(client.count(""), 4, "all pods")
    for page_size in [0, 1, 3]:
        listed = client.names("app=rng", page_size)
        equal(listed, sorted(everybody), f"names in pages of {page_size}")
    equal(client.endpoints("rng"), everybody, "endpoints")

    # A watcher begins with everything.
    watcher = Watcher(client)
    events = watcher.until(committed.revision)
    equal(events[0].type, watch_pb2.EVENT_TYPE_RESET, "first event")
    equal(watcher.pods("rng"), everybody, "watched endpoints")
    endpoint = next(iter(watcher.services[("default", "rng")].values()))
    equal(endpoint.conditions, 3, "ready and serving")
    equal(len(endpoint.identity.addresses[0]), 4, "bytes of an IPv4 address")

    # All pods get a label; the service asks for it; nobody is lost on the way.
    labelled = client.commit(patch("app=rng", set=labels(active="yes")))
    equal(len(labelled.results), 3, "labelled pods")
    narrowed = client.commit(put_service("rng", app="rng", active="yes"))
    events = watcher.until(narrowed.revision)
    equal(sum(len(event.removed) for event in events), 0, "removals on the way")
    equal(watcher.pods("rng"), everybody, "endpoints after narrowing")

    # The watcher goes away; one pod loses its label; the watcher comes back with its cursor and is
    # sent that one removal, and nothing else.
    watcher.disconnect()
    unlabelled = client.commit(patch("app=rng,pod-template-hash", remove=["active"]))
    equal(len(unlabelled.results), 1, "unlabelled pods")
    watcher.connect(client)
    events = watcher.until(unlabelled.revision)
    kinds = [event.type for event in events]
    equal(kinds, [watch_pb2.EVENT_TYPE_UPDATE], "events after resuming")
    removed = [identity.pod_name for event in events for identity in event.removed]
    equal(removed, ["rng-replica"], "removals")
    equal(watcher.pods("rng"), everybody - {"rng-replica"}, "endpoints after the removal")
    equal(watcher.pods("rng"), client.endpoints("rng"), "the watcher's view and the query's")
    equal(client.names("app=rng,active!=yes"), ["rng-replica"], "what is left over")

    # The server knows how far the watcher is, and soon that the stream before is gone.
    eventually(client.subscribers, [("python", unlabelled.revision)], "subscribers")

    # A retry with the same request id changes nothing and is answered as the first was.
    again = client.commit(*everything, source="python", request_id="first")
    equal(again.revision, committed.revision, "revision of a retry")
    # Another transaction under the same request id is refused.
    refused(
        grpc.StatusCode.INVALID_ARGUMENT,
        lambda: client.commit(put_pod("hasher", "10.1.0.99", app="hasher"), request_id="first"),
    )

    # Errors name the field, and nothing is applied.
    before = client.count("")
    text, status = refused(
        grpc.StatusCode.INVALID_ARGUMENT,
        lambda: client.commit(
            put_pod("fine", "10.1.0.5", app="x"), put_pod("bad", "10.1.0.6", app="no blanks")
        ),
    )
    bad_request = error_details_pb2.BadRequest()
    assert any(detail.Unpack(bad_request) for detail in status.details), f"no field paths: {text}"
    field = bad_request.field_violations[0].field
    assert "operations[1]" in field and "labels" in field, field
    equal(client.count(""), before, "pods after a refusal")
    refused(grpc.StatusCode.INVALID_ARGUMENT, lambda: client.count("app in rng"))
    text, status = refused(
        grpc.StatusCode.FAILED_PRECONDITION,
        lambda: client.commit(patch("app=rng,active", set=labels(active="no"))),
    )
    assert status and status.details, f"no details: {text}"
    refused(grpc.StatusCode.NOT_FOUND, lambda: client.endpoints("nobody"))

    watcher.disconnect()
    verified = client.admin.Verify(admin_pb2.VerifyRequest(), timeout=DEADLINE)
    equal(list(verified.discrepancies), [], "discrepancies")


def objects():
    """The same every time: services of every kind, pods with and without a UUID, endpoints by hand."""
    rich = types_pb2.Service(
        namespace="default",
        name="rich",
        uid="7d0c3f6e-5a7d-4e8b-9c1d-0a1b2c3d4e5f",
        labels=labels(tier="web", app="rng"),
        creation_timestamp="2026-01-02T03:04:05Z",
        type=types_pb2.Service.TYPE_LOAD_BALANCER,
        set_selector=types_pb2.Selector(text="app in (rng, hasher),!gone"),
        ports=[
            types_pb2.ServicePort(name="a", port=80, target_name="web", node_port=30080),
            types_pb2.ServicePort(
                name="b",
                port=53,
                protocol=types_pb2.PROTOCOL_UDP,
                target_number=5353,
                app_protocol="dns",
            ),
        ],
        cluster_ips=["10.96.0.11", "fd00::11"],
        ip_families=[types_pb2.IP_FAMILY_IPV4, types_pb2.IP_FAMILY_IPV6],
        external_ips=["192.0.2.1"],
        load_balancer_ips=[types_pb2.LoadBalancerIp(ip="192.0.2.2", proxied=True)],
        load_balancer_source_ranges=["192.0.2.0/24"],
        session_affinity_seconds=10800,
        external_traffic_policy=types_pb2.Service.TRAFFIC_POLICY_LOCAL,
        health_check_node_port=30081,
        publish_not_ready_addresses=True,
        traffic_distribution="PreferSameNode",
    )
    pods = []
    for i in range(20):
        pods.append(
            types_pb2.Pod(
                namespace="default",
                name=f"rng-{i}",
                uid=f"2b0c3f6e-5a7d-4e8b-9c1d-0a1b2c3d4e{i:02}" if i % 2 else f"uid-{i}",
                labels=labels(app="rng"),
                node_name=f"node-{i % 3}",
                ports=[types_pb2.ContainerPort(name="web", number=8080 + i % 2)],
                phase=types_pb2.Pod.PHASE_RUNNING,
                pod_ips=[f"10.1.0.{i + 1}", f"fd00::{i + 1:x}"],
                ready=1 + i % 2,
            )
        )
    node = types_pb2.Node(name="node-1", labels=labels())
    node.labels.add(key="topology.kubernetes.io/zone", value="za")
    by_hand = types_pb2.ManualEndpoints(
        kind=types_pb2.KIND_ENDPOINT_SLICE,
        namespace="default",
        name="rng-by-hand",
        service="rng",
        subsets=[
            types_pb2.ManualEndpoints.Subset(
                ports=[types_pb2.EndpointPort(name="", number=81)],
                endpoints=[
                    types_pb2.Endpoint(
                        identity=types_pb2.EndpointIdentity(addresses=[bytes([192, 0, 2, 9])]),
                        conditions=3,
                    )
                ],
            )
        ],
    )
    operations = [cluster_pb2.Operation(put_service=rich), cluster_pb2.Operation(put_node=node)]
    operations += [put_service(f"svc-{i}", app="rng") for i in range(5)]
    operations += [put_service("rng", app="rng"), cluster_pb2.Operation(put_endpoints=by_hand)]
    return operations + [cluster_pb2.Operation(put_pod=pod) for pod in pods]


def resume(binary):
    """The server is lost, and another begins with the same: only what is not the same is sent."""
    if xxhash is None:
        print("python client: offers not tried, there is no xxhash package")
        return
    with server(binary) as address, grpc.insecure_channel(address) as channel:
        client = Client(channel)
        watcher = Watcher(client)
        watcher.until(client.commit(*objects()).revision)
        watcher.disconnect()
    with server(binary) as address, grpc.insecure_channel(address) as channel:
        client = Client(channel)
        committed = client.commit(*objects())
        watcher.connect(client)
        events = watcher.until(committed.revision)
        equal([event.type for event in events], [watch_pb2.EVENT_TYPE_OFFER], "of the same")
        # Another of which three things differ.
        watcher.disconnect()
        watcher.cursor.epoch = b"another"
        watcher.services.pop(("default", "svc-1"))
        watcher.entries.pop(("default", "svc-1"))
        endpoint = next(iter(watcher.services[("default", "svc-2")].values()))
        endpoint.zone = "elsewhere"
        watcher.services[("default", "zzz")] = {}
        watcher.entries[("default", "zzz")] = watcher.entries[("default", "svc-3")]
        watcher.connect(client)
        events = watcher.until(committed.revision)
        told = [(event.type, event.name) for event in events]
        expected = [
            (watch_pb2.EVENT_TYPE_OFFER, ""),
            (watch_pb2.EVENT_TYPE_REPLACE, "svc-1"),
            (watch_pb2.EVENT_TYPE_REPLACE, "svc-2"),
            (watch_pb2.EVENT_TYPE_REMOVE, "zzz"),
        ]
        equal(told, expected, "of what differs")
        watcher.disconnect()
        anew = Watcher(client)
        anew.until(committed.revision)
        assert anew.services == watcher.services, "what is held is not what there is"
        anew.disconnect()


def main():
    with server(sys.argv[1]) as address:
        with grpc.insecure_channel(address) as channel:
            tell(Client(channel))
    resume(sys.argv[1])
    print("python client: ok")


if __name__ == "__main__":
    main()
