//! Compiler support routines for the upstream BPF target, u64 arithmetic only.
//! `builtins.ll` wraps the 128-bit ones with the register ABI that LLVM expects.
//! The memory routines go to the runtime's syscalls, which are cheaper than loops.
use pinocchio::syscalls::{sol_memcmp_, sol_memcpy_, sol_memmove_, sol_memset_};

#[no_mangle]
pub unsafe extern "C" fn memcpy(d: *mut u8, s: *const u8, n: usize) -> *mut u8 {
    sol_memcpy_(d, s, n as u64);
    d
}
#[no_mangle]
pub unsafe extern "C" fn memmove(d: *mut u8, s: *const u8, n: usize) -> *mut u8 {
    sol_memmove_(d, s, n as u64);
    d
}
#[no_mangle]
pub unsafe extern "C" fn memset(d: *mut u8, c: i32, n: usize) -> *mut u8 {
    sol_memset_(d, c as u8, n as u64);
    d
}
#[no_mangle]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    let mut r = 0i32;
    sol_memcmp_(a, b, n as u64, &mut r);
    r
}
#[no_mangle]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    memcmp(a, b, n)
}

/// (hi, lo) of a 64x64 multiplication, from 32-bit halves.
#[inline(always)]
fn mul64(a: u64, b: u64) -> (u64, u64) {
    let (a1, a0) = (a >> 32, a & 0xffff_ffff);
    let (b1, b0) = (b >> 32, b & 0xffff_ffff);
    let t = a0.wrapping_mul(b0);
    let w0 = t & 0xffff_ffff;
    let t = a1.wrapping_mul(b0).wrapping_add(t >> 32);
    let (w2, w1) = (t >> 32, t & 0xffff_ffff);
    let t = a0.wrapping_mul(b1).wrapping_add(w1);
    (
        a1.wrapping_mul(b1).wrapping_add(w2).wrapping_add(t >> 32),
        (t << 32) | w0,
    )
}

/// Knuth D with two 32-bit digits: (u1:u0) / v with u1 < v. Returns (quotient, remainder).
#[inline(never)]
fn divlu(u1: u64, u0: u64, v: u64) -> (u64, u64) {
    const B: u64 = 1 << 32;
    let s = v.leading_zeros();
    let v = v << s;
    let (vn1, vn0) = (v >> 32, v & 0xffff_ffff);
    let un32 = if s == 0 { u1 } else { (u1 << s) | (u0 >> (64 - s)) };
    let un10 = u0 << s;
    let (un1, un0) = (un10 >> 32, un10 & 0xffff_ffff);
    let mut q1 = un32 / vn1;
    let mut rhat = un32.wrapping_sub(q1.wrapping_mul(vn1));
    while q1 >= B || q1.wrapping_mul(vn0) > B.wrapping_mul(rhat).wrapping_add(un1) {
        q1 = q1.wrapping_sub(1);
        rhat = rhat.wrapping_add(vn1);
        if rhat >= B {
            break;
        }
    }
    let un21 = un32.wrapping_mul(B).wrapping_add(un1).wrapping_sub(q1.wrapping_mul(v));
    let mut q0 = un21 / vn1;
    let mut rhat = un21.wrapping_sub(q0.wrapping_mul(vn1));
    while q0 >= B || q0.wrapping_mul(vn0) > B.wrapping_mul(rhat).wrapping_add(un0) {
        q0 = q0.wrapping_sub(1);
        rhat = rhat.wrapping_add(vn1);
        if rhat >= B {
            break;
        }
    }
    let r = un21.wrapping_mul(B).wrapping_add(un0).wrapping_sub(q0.wrapping_mul(v)) >> s;
    (q1.wrapping_mul(B).wrapping_add(q0), r)
}

#[inline(always)]
fn sub128(ah: u64, al: u64, bh: u64, bl: u64) -> (u64, u64) {
    let (l, borrow) = al.overflowing_sub(bl);
    (ah.wrapping_sub(bh).wrapping_sub(borrow as u64), l)
}

/// io = [a_lo, a_hi, b_lo, b_hi] -> [p_lo, p_hi, ..]
#[no_mangle]
pub extern "C" fn sbf_mul128(io: &mut [u64; 4]) {
    let [al, ah, bl, bh] = *io;
    let (h, l) = mul64(al, bl);
    io[0] = l;
    io[1] = h.wrapping_add(ah.wrapping_mul(bl)).wrapping_add(al.wrapping_mul(bh));
}

/// io = [n_lo, n_hi, d_lo, d_hi] -> [q_lo, q_hi, r_lo, r_hi]; d != 0 (rustc checks).
#[no_mangle]
pub extern "C" fn sbf_udivrem128(io: &mut [u64; 4]) {
    let [nl, nh, dl, dh] = *io;
    if dh == 0 {
        if dl == 0 {
            return;
        }
        if nh == 0 {
            *io = [nl / dl, 0, nl % dl, 0];
            return;
        }
        let (qh, rh) = if nh < dl { (0, nh) } else { (nh / dl, nh % dl) };
        let (ql, r) = divlu(rh, nl, dl);
        *io = [ql, qh, r, 0];
        return;
    }
    if nh < dh || (nh == dh && nl < dl) {
        *io = [0, 0, nl, nh];
        return;
    }
    // The quotient fits in 64 bits (Hacker's Delight, udivdi3).
    let s = dh.leading_zeros();
    let v1 = if s == 0 { dh } else { (dh << s) | (dl >> (64 - s)) };
    let (u1h, u1l) = (nh >> 1, (nh << 63) | (nl >> 1));
    let (q1, _) = divlu(u1h, u1l, v1);
    let mut q = q1 >> (63 - s);
    if q != 0 {
        q -= 1;
    }
    let (ph, pl) = mul64(q, dl);
    let (mut rh, mut rl) = sub128(nh, nl, ph.wrapping_add(q.wrapping_mul(dh)), pl);
    if rh > dh || (rh == dh && rl >= dl) {
        q += 1;
        (rh, rl) = sub128(rh, rl, dh, dl);
    }
    *io = [q, 0, rl, rh];
}

#[inline(always)]
fn neg(l: u64, h: u64) -> (u64, u64) {
    let (h2, l2) = sub128(0, 0, h, l);
    (l2, h2)
}

#[no_mangle]
pub extern "C" fn sbf_idivrem128(io: &mut [u64; 4]) {
    let (na, nb) = ((io[1] as i64) < 0, (io[3] as i64) < 0);
    if na {
        (io[0], io[1]) = neg(io[0], io[1]);
    }
    if nb {
        (io[2], io[3]) = neg(io[2], io[3]);
    }
    sbf_udivrem128(io);
    if na != nb {
        (io[0], io[1]) = neg(io[0], io[1]);
    }
    if na {
        (io[2], io[3]) = neg(io[2], io[3]);
    }
}
