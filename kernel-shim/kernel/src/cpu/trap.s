# SPDX-License-Identifier: GPL-2.0-or-later
# Every way into the kernel, and the one way out to ring 3.
#
# There is one kernel stack. `user_run` saves what Rust expects to find again, loads the registers of `user_frame` and leaves to ring 3;
# the next trap out of ring 3, or system call, stores the registers back there and returns from `user_run`. The processor itself begins
# the frame: the task state segment's RSP0 is the frame's end. Traps out of the kernel (an interrupt while idle, or a fault, which is a
# bug) stay on the kernel stack and go to `kernel_trap`.

.section .text

.macro push_all
    push rax
    push rcx
    push rdx
    push rbx
    push rbp
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
.endm

.macro pop_all
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rbp
    pop rbx
    pop rdx
    pop rcx
    pop rax
.endm

# One stub a vector: 16 bytes each, so that the table needs no list. Vectors 8, 10-14, 17, 21, 29 and 30 come with an error code.
.balign 16
.global trap_stubs
trap_stubs:
.set vector, 0
.rept 256
    .balign 16
    .if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
    .else
    push 0
    .endif
    push vector
    jmp trap_entry
    .set vector, vector + 1
.endr

.balign 16
trap_entry:
    cld
    test byte ptr [rsp + 24], 3
    jz from_kernel

from_user:
    push_all
    rdtsc
    mov dword ptr [user_left], eax
    mov dword ptr [user_left + 4], edx
    mov rsp, qword ptr [user_kernel_stack]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

from_kernel:
    push_all
    mov rdi, rsp
    call kernel_trap
    pop_all
    add rsp, 16
    iretq

# NT system call: rcx = return address, r11 = flags, interrupts off by the flag mask.
.balign 16
.global system_call_entry
system_call_entry:
    mov qword ptr [user_stack_pointer], rsp
    mov rsp, offset user_frame_end
    push 0x2b
    push qword ptr [user_stack_pointer]
    push r11
    push 0x33
    push rcx
    push 0
    push 0x100
    jmp from_user

# `sysenter` of an i386 program: EAX is the service, EDX the stack with two return addresses on it; interrupts are off, the other flags the
# program's. It becomes `int 2Eh`: the same frame, EDX the arguments. SS is none, as at an interrupt. An i386 program knows neither R8 nor R9.
.balign 16
.global fast_call_entry
fast_call_entry:
    xor r8d, r8d
# The program's trap flag is in R8: it was on, and has led to a trap right here.
.global fast_call_stepped
fast_call_stepped:
    mov edx, edx
    mov rsp, offset user_frame_end
    push 0x23
    push rdx
    pushfq
    or qword ptr [rsp], r8
    or qword ptr [rsp], 0x200
    push 0x1b
    push qword ptr [fast_call_return]
    push 0
    push 0x2e
    push 2
    popfq
    xor r9d, r9d
    mov ss, r9d
    add rdx, 8
    jmp from_user

# extern "C" fn user_run()
.balign 16
.global user_run
user_run:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    mov qword ptr [user_kernel_stack], rsp
    mov rsp, offset user_frame
    rdtsc
    mov dword ptr [user_entered], eax
    mov dword ptr [user_entered + 4], edx
    pop_all
    add rsp, 16
    iretq

.section .bss
.balign 16
.global user_frame
user_frame: .skip 22 * 8
.global user_frame_end
user_frame_end:
# The time stamp counter when ring 3 began, and when it ended.
.balign 16
.global user_entered
user_entered: .skip 8
.global user_left
user_left: .skip 8
user_kernel_stack: .skip 8
user_stack_pointer: .skip 8
# Only a trap at the first instruction of `fast_call_entry` runs on it.
.balign 16
.skip 4096
.global fast_call_stack_end
fast_call_stack_end:
