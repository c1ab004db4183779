use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// How a cluster departs from the plain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    /// As the crate's page says.
    #[default]
    Plain,
    /// Every pod has an eleventh label that no other has, `serial`; it is not the pod's name.
    Unique,
    /// Pods come in random order instead of workload after workload.
    RandomArrival,
    /// All pods, services included, in one namespace. Meant for 20,000 pods, hence 2,000 services.
    HugeNamespace,
}

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// Number of pods. All other numbers follow from it.
    pub pods: u32,
    /// Two corpora differ if their seeds do.
    pub seed: u64,
    /// Which departure from the plain cluster.
    pub variant: Variant,
}

impl Spec {
    /// The plain cluster of so many pods, from seed 1.
    pub fn new(pods: u32) -> Spec {
        Spec {
            pods,
            seed: 1,
            variant: Variant::Plain,
        }
    }

    /// The same from another seed.
    pub fn seed(self, seed: u64) -> Spec {
        Spec { seed, ..self }
    }

    /// Another variant of the same.
    pub fn variant(self, variant: Variant) -> Spec {
        Spec { variant, ..self }
    }
}

impl Variant {
    /// Every variant.
    pub const ALL: [Variant; 4] = [
        Variant::Plain,
        Variant::Unique,
        Variant::RandomArrival,
        Variant::HugeNamespace,
    ];
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Variant::Plain => "plain",
            Variant::Unique => "unique",
            Variant::RandomArrival => "random-arrival",
            Variant::HugeNamespace => "huge-namespace",
        })
    }
}

/// There is no variant of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariant(String);

impl fmt::Display for UnknownVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Variant::ALL.map(|variant| variant.to_string()).join(", ");
        write!(f, "{:?} is not a variant; there are {known}", self.0)
    }
}

impl Error for UnknownVariant {}

impl FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(text: &str) -> Result<Variant, UnknownVariant> {
        Variant::ALL
            .into_iter()
            .find(|variant| variant.to_string() == text)
            .ok_or_else(|| UnknownVariant(text.to_owned()))
    }
}
