use crate::context::Context;
use crate::report::Section;

use super::kube_proxy::Program;

/// What has to be known to read the rows.
pub fn notes(section: &mut Section, context: &Context, program: Option<&Program>) {
    section.note(
        "IPv4 where nothing else is said; each way in network namespaces of its own, what is compared in \
         turn; a time is from what the stream says to the tool's end; of it selectord itself: without nft or \
         iptables-restore and the kernel",
    );
    if let Some(program) = program {
        section.note(format!(
            "{}: its own proxier of the same mode, built by {}, from the event that its informers would hand \
             over to the end of the sync, with as many processors as it likes, and without the second that it \
             waits between two syncs by default (minSyncPeriod 0); chains that are deleted by a later sync are \
             deleted before the next change, without being timed",
            program.name, program.go
        ));
    }
    section.note(
        "kube-proxy's layout is the same state as it writes it, through the same tool, without the \
         time of kube-proxy itself: for the first sync everything, for a change what its partial sync \
         writes (of nftables: the service's chain anew and the elements that differ; of iptables: the \
         chains that list all services, and those of the one). That of nftables is a newer one than 1.34's, \
         which has a chain for each endpoint",
    );
    section.note(
        "before its time is told, what the kernel has is compared: the endpoints of every service with \
         the cluster's, also those that kube-proxy itself wrote, and every line with what a fresh sync writes",
    );
    section.note(
        "selectord gives elements alone to the kernel over a socket that stays open; nft gives it its text \
         within a few milliseconds, and waits the rest of its time to close its socket, until nobody can look \
         at what was deleted any more (a grace period of the kernel, whatever the number of services)",
    );
    if context.args.quick {
        section.note("--quick: without 10,000 services × 10 and dual stack");
    }
    section.note("--size is of no matter here");
}
