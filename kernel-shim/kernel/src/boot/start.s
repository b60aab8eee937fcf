# SPDX-License-Identifier: GPL-2.0-or-later
# From the loader's 32-bit protected mode, paging off, to long mode in the upper half.
#
# Both doors leave what identifies the loader in edi and its information block (a physical address) in esi. The tables map the first
# 4 GiB three times with 2 MiB pages: at 0 (until the kernel has its own tables), at the direct map, and the first GiB at KERNEL_BASE.

.section .boot.header, "a"
.balign 8
header:
    .long 0xe85250d6
    .long 0
    .long header_end - header
    .long -(0xe85250d6 + 0 + (header_end - header))
    # end tag
    .short 0
    .short 0
    .long 8
header_end:

# XEN_ELFNOTE_PHYS32_ENTRY: where a PVH loader enters.
.section .note.Xen, "a", @note
.balign 4
    .long 4
    .long 4
    .long 18
    .asciz "Xen"
    .long boot_pvh

.section .boot.text, "ax"
.code32
.global boot_multiboot
boot_multiboot:
    mov edi, eax
    mov esi, ebx
    jmp enter
.global boot_pvh
boot_pvh:
    mov edi, 0x50564821
    mov esi, ebx
enter:
    cli
    cld
    mov esp, offset boot_stack_end

    # 2048 leaves of 2 MiB: present, writable, large.
    mov ecx, 0
fill:
    mov eax, ecx
    shl eax, 21
    or eax, 0x83
    mov dword ptr [boot_directories + ecx * 8], eax
    mov dword ptr [boot_directories + ecx * 8 + 4], 0
    inc ecx
    cmp ecx, 2048
    jne fill

    mov eax, offset boot_directories + 3
    mov dword ptr [boot_pointers], eax
    mov dword ptr [boot_pointers_high + 510 * 8], eax
    add eax, 0x1000
    mov dword ptr [boot_pointers + 8], eax
    add eax, 0x1000
    mov dword ptr [boot_pointers + 16], eax
    add eax, 0x1000
    mov dword ptr [boot_pointers + 24], eax
    mov eax, offset boot_pointers + 3
    mov dword ptr [boot_root], eax
    mov dword ptr [boot_root + 256 * 8], eax
    mov eax, offset boot_pointers_high + 3
    mov dword ptr [boot_root + 511 * 8], eax

    # PAE, PGE, OSFXSR, OSXMMEXCPT
    mov eax, cr4
    or eax, 0x6a0
    mov cr4, eax
    mov eax, offset boot_root
    mov cr3, eax
    # EFER: SCE, LME, NXE
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x901
    wrmsr
    # CR0: PG, WP, NE, MP, PE; no EM, no TS
    mov eax, 0x80010023
    mov cr0, eax

    lgdt [boot_gdt_pointer]
    mov eax, 8
    push eax
    mov eax, offset long_mode
    push eax
    retf

.code64
long_mode:
    xor eax, eax
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov fs, eax
    mov gs, eax
    mov edi, edi
    mov esi, esi
    movabs rsp, offset kernel_stack_end
    xor ebp, ebp
    push rbp
    push rbp
    movabs rax, offset kernel_main
    call rax
    ud2

.balign 8
boot_gdt:
    .quad 0
    .quad 0x00209a0000000000
boot_gdt_pointer:
    .short 15
    .long boot_gdt

.section .boot.bss, "aw", @nobits
.balign 4096
boot_root: .skip 4096
boot_pointers: .skip 4096
boot_pointers_high: .skip 4096
boot_directories: .skip 4 * 4096
boot_stack: .skip 4096
boot_stack_end:

.section .bss
.balign 4096
.global kernel_stack
kernel_stack: .skip 64 * 4096
.global kernel_stack_end
kernel_stack_end:
