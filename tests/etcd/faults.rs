//! What befalls members and replicas.

use crate::members::MEMBERS;
use crate::support::random::Random;
use crate::world::{REPLICAS, World};

/// One thing that goes wrong, and is put right later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A member is killed, and started again on its disk.
    KillMember(usize),
    /// A member stands still, with its connections open.
    StopMember(usize),
    /// A member does not reach the others, but whoever watches it does.
    CutOffMember(usize),
    /// Nobody reaches a member.
    LoseMember(usize),
    /// Two members stand still: nothing can be written.
    LoseQuorum,
    /// A replica is killed, and started again with nothing.
    KillReplica(usize),
    /// A replica stands still.
    StopReplica(usize),
    /// A replica reaches no member.
    CutOffReplica(usize),
    /// A replica does not reach the member of this number.
    CutWire(usize, usize),
    /// A replica's connections break off.
    BreakWires(usize),
    /// A replica stands still while etcd forgets what it has not read.
    CompactBehind(usize),
    /// A replica is cut off while etcd forgets what it has not read.
    CompactBeyond(usize),
    /// Another member leads.
    MoveLeader,
}

impl Fault {
    /// Any; members that lead more often than others.
    pub fn any(random: &mut Random, world: &World) -> Fault {
        let replica = random.below(REPLICAS);
        let leader = world.members.leader().ok().filter(|_| random.chance(40));
        let member = leader.unwrap_or_else(|| random.below(MEMBERS));
        random.weighted(&[
            (3, Fault::KillMember(member)),
            (2, Fault::StopMember(member)),
            (3, Fault::CutOffMember(member)),
            (2, Fault::LoseMember(member)),
            (2, Fault::LoseQuorum),
            (3, Fault::KillReplica(replica)),
            (2, Fault::StopReplica(replica)),
            (3, Fault::CutOffReplica(replica)),
            (2, Fault::CutWire(replica, member)),
            (2, Fault::BreakWires(replica)),
            (2, Fault::CompactBehind(replica)),
            (3, Fault::CompactBeyond(replica)),
            (1, Fault::MoveLeader),
        ])
    }

    /// One of a replica, to come on top of one of a member.
    pub fn of_replica(random: &mut Random) -> Fault {
        let replica = random.below(REPLICAS);
        random.pick(&[
            Fault::KillReplica(replica),
            Fault::StopReplica(replica),
            Fault::CutOffReplica(replica),
            Fault::BreakWires(replica),
        ])
    }

    /// Whether etcd can be written to all the same.
    pub fn leaves_quorum(self) -> bool {
        self != Fault::LoseQuorum
    }

    /// It happens.
    pub fn befall(self, world: &mut World) {
        match self {
            Fault::KillMember(member) => world.members.kill(member),
            Fault::StopMember(member) => world.members.signal(member, "STOP"),
            Fault::CutOffMember(member) => {
                world
                    .members
                    .wires(member)
                    .iter()
                    .for_each(|wire| wire.cut());
            }
            Fault::LoseMember(member) => {
                world
                    .members
                    .wires(member)
                    .iter()
                    .for_each(|wire| wire.cut());
                for replica in &world.replicas {
                    replica.wires()[member].cut();
                }
            }
            Fault::LoseQuorum => {
                world.members.signal(0, "STOP");
                world.members.signal(1, "STOP");
            }
            Fault::KillReplica(replica) => world.replicas[replica].kill(),
            Fault::StopReplica(replica) | Fault::CompactBehind(replica) => {
                world.replicas[replica].signal("STOP");
            }
            Fault::CutOffReplica(replica) | Fault::CompactBeyond(replica) => {
                world.replicas[replica]
                    .wires()
                    .iter()
                    .for_each(|wire| wire.cut());
            }
            Fault::CutWire(replica, member) => world.replicas[replica].wires()[member].cut(),
            Fault::BreakWires(replica) => {
                let wires = world.replicas[replica].wires();
                wires.iter().for_each(|wire| wire.break_off());
            }
            Fault::MoveLeader => {
                if let Ok(leader) = world.members.leader() {
                    let next = (leader + 1) % MEMBERS;
                    // It may have changed by itself meanwhile.
                    let _ = world.members.hand_over(leader, next);
                }
            }
        }
    }

    /// It is put right.
    pub async fn mend(self, world: &mut World) {
        match self {
            Fault::KillMember(member) => world.members.begin(member),
            Fault::StopMember(member) => world.members.signal(member, "CONT"),
            Fault::CutOffMember(member) => {
                world
                    .members
                    .wires(member)
                    .iter()
                    .for_each(|wire| wire.heal());
            }
            Fault::LoseMember(member) => {
                world
                    .members
                    .wires(member)
                    .iter()
                    .for_each(|wire| wire.heal());
                for replica in &world.replicas {
                    replica.wires()[member].heal();
                }
            }
            Fault::LoseQuorum => {
                world.members.signal(0, "CONT");
                world.members.signal(1, "CONT");
            }
            Fault::KillReplica(replica) => world.replicas[replica].begin(),
            Fault::StopReplica(replica) => world.replicas[replica].signal("CONT"),
            Fault::CompactBehind(replica) => {
                compact(world).await;
                world.replicas[replica].signal("CONT");
            }
            Fault::CutOffReplica(replica) => {
                world.replicas[replica]
                    .wires()
                    .iter()
                    .for_each(|wire| wire.heal());
            }
            Fault::CompactBeyond(replica) => {
                compact(world).await;
                // What etcd has sent and the replica has not read is lost with the connections.
                for wire in world.replicas[replica].wires() {
                    wire.break_off();
                    wire.heal();
                }
            }
            Fault::CutWire(replica, member) => world.replicas[replica].wires()[member].heal(),
            Fault::BreakWires(_) | Fault::MoveLeader => {}
        }
    }
}

/// Etcd forgets everything but the present.
pub async fn compact(world: &World) {
    crate::patience::until("a compaction", async || {
        let revision = world.members.revision()?.to_string();
        match world.members.ctl(&[0, 1, 2], &["compact", &revision]) {
            Err(error) if !error.contains("has been compacted") => Err(error),
            _ => Ok(()),
        }
    })
    .await;
}
