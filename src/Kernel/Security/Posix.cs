using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Groundwork.Kernel.Security;

/// <summary>The few calls of the operating system that .NET does not bring.</summary>
internal static class Posix
{
    private const int ReadOnly = 0; // O_RDONLY, with which a directory opens too.
    private const int WorkingDirectory = -100; // AT_FDCWD.
    private const uint WantUser = 0x08; // STATX_UID.
    private const int StatxBytes = 256;
    private const int StatxUserOffset = 20; // stx_mask, stx_blksize: 4 each; stx_attributes: 8; stx_nlink: 4.

    /// <summary>
    /// Makes the directory's entries durable: a file that is synced can still lose its name in a power cut.
    /// </summary>
    public static void SyncDirectory(string path)
    {
        if (!OperatingSystem.IsLinux()) return; // Elsewhere only for development.
        var directory = Open(path, ReadOnly);
        if (directory < 0) throw new IOException($"{path} cannot be opened (errno {Marshal.GetLastPInvokeError()}).");
        var failed = Fsync(directory) != 0 ? Marshal.GetLastPInvokeError() : 0;
        _ = Close(directory);
        if (failed != 0) throw new IOException($"{path} cannot be synced (errno {failed}).");
    }

    /// <summary>The user id that owns a file or directory.</summary>
    public static int OwnerOf(string path)
    {
        if (!OperatingSystem.IsLinux()) return (int)GetEffectiveUser();
        var status = new byte[StatxBytes];
        if (Statx(WorkingDirectory, path, 0, WantUser, status) != 0)
            throw new IOException($"{path} cannot be read (errno {Marshal.GetLastPInvokeError()}).");
        return BitConverter.IsLittleEndian
            ? BinaryPrimitives.ReadInt32LittleEndian(status.AsSpan(StatxUserOffset))
            : BinaryPrimitives.ReadInt32BigEndian(status.AsSpan(StatxUserOffset));
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int descriptor);

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint GetEffectiveUser();

    [DllImport("libc", EntryPoint = "statx", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false)]
    private static extern int Statx(
        int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] status);
}
