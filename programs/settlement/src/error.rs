use pinocchio::error::ProgramError;

/// What an instruction is refused for. A number is never reused; the words stand in the IDL.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Refusal {
    MissingAccount = 6000,
    MissingSignature = 6001,
    WrongAddress = 6002,
    WrongAccount = 6003,
    WrongNetwork = 6004,
    WrongTokenProgram = 6005,
    WrongTokenAccount = 6006,
    MintRefused = 6007,
    NotAuthority = 6008,
    NotGuardian = 6009,
    NotAdmin = 6010,
    Paused = 6011,
    ZeroAmount = 6012,
    Overflow = 6013,
    BadArguments = 6014,
    BadKeySet = 6015,
    BadParameters = 6016,
    RootPending = 6017,
    NoPendingRoot = 6018,
    NoActiveRoot = 6019,
    WrongStatement = 6020,
    WrongEpoch = 6021,
    WrongSealedSlot = 6022,
    TotalsFell = 6023,
    SumsDisagree = 6024,
    Insolvent = 6025,
    GrowthLimit = 6026,
    BadSignatures = 6027,
    TooFewCosigners = 6028,
    BadProof = 6029,
    WrongPage = 6030,
    NotBelowReleased = 6031,
    NothingRequested = 6032,
    TooEarly = 6033,
    NothingToWithdraw = 6034,
    InsufficientStake = 6035,
    WrongAction = 6036,
    WrongDigest = 6037,
    OwnProposal = 6038,
    AlreadyApproved = 6039,
    Expired = 6040,
    NotApproved = 6041,
    StaleGovernance = 6042,
    ConservationBroken = 6043,
    AlreadyExists = 6044,
}

impl From<Refusal> for ProgramError {
    fn from(refusal: Refusal) -> Self {
        ProgramError::Custom(refusal as u32)
    }
}

/// Refuses unless `holds`.
#[inline(always)]
pub fn require(holds: bool, refusal: Refusal) -> Result<(), ProgramError> {
    if holds {
        Ok(())
    } else {
        Err(refusal.into())
    }
}
