using System.Diagnostics;
using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;

namespace Groundwork.Kernel.Tests.Hosting;

public sealed class DataDirectoryTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly TemporaryDirectory temporary = new();

    [Fact]
    public void New_directory_is_for_its_owner_and_stays_out_of_version_control()
    {
        var path = temporary.Combine("a", ".groundwork");
        using var directory = DataDirectory.Open(path);
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(path));
        Assert.Equal("*\n", File.ReadAllText(directory.Combine(".gitignore")));
        Assert.True(directory.FreeBytes > 0);
    }

    [Fact]
    public void Second_start_names_the_process_that_holds_the_directory()
    {
        var path = temporary.Combine("data");
        using var first = DataDirectory.Open(path);
        var fault = Assert.Throws<StartupException>(() => DataDirectory.Open(path)).Fault;
        Assert.Equal("directory_locked", fault.Error.Code);
        Assert.Contains($"process {Environment.ProcessId}.", fault.Detail);
    }

    [Fact]
    public void Lock_ends_with_the_directory()
    {
        var path = temporary.Combine("data");
        DataDirectory.Open(path).Dispose();
        DataDirectory.Open(path).Dispose();
        Assert.False(File.Exists(Path.Combine(path, "pid")));
    }

    [Fact]
    public async Task Lock_of_a_killed_process_is_gone()
    {
        // flock(1) takes the same lock as we do, and dies with kill -9.
        var path = temporary.Combine("data");
        DataDirectory.Open(path).Dispose();
        // The tool is there.
        using var holder = Process.Start(new ProcessStartInfo("flock", [Path.Combine(path, "lock"), "sleep", "60"]))!;
        await Eventually.TrueAsync(() => IsLocked(path), "the other process holds the lock");
        holder.Kill(entireProcessTree: true);
        await holder.WaitForExitAsync();
        await Eventually.TrueAsync(() => !IsLocked(path), "the lock is gone");
    }

    [Fact]
    public void Directory_that_others_can_enter_is_refused_unless_it_is_empty()
    {
        var path = Directory.CreateDirectory(temporary.Combine("shared"), OwnerOnly | UnixFileMode.OtherRead).FullName;
        DataDirectory.Open(path).Dispose();
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(path));

        File.SetUnixFileMode(path, OwnerOnly | UnixFileMode.GroupExecute);
        var fault = Assert.Throws<StartupException>(() => DataDirectory.Open(path)).Fault;
        Assert.Equal("directory_unusable", fault.Error.Code);
        Assert.Contains("chmod 700", fault.Detail);
    }

    [Fact]
    public void File_in_the_way_is_a_fault()
    {
        var path = temporary.Write("file", "x");
        Assert.Equal("directory_unusable", Assert.Throws<StartupException>(() => DataDirectory.Open(path))
            .Fault.Error.Code);
    }

    [Fact]
    public void Node_file_is_read_back_and_removed()
    {
        using var directory = DataDirectory.Open(temporary.Combine("data"));
        Assert.Null(NodeFile.Read(directory.Path));
        var file = new NodeFile(
            "a", 4711, "http://127.0.0.1:7400", directory.ApiSocket, new Dictionary<string,
                string> { ["api"] = "127.0.0.1:7400" },
            "store", "0.1.0", ManualTimeProvider.DefaultStart);
        directory.Write(file);
        Assert.Equivalent(file, NodeFile.Read(directory.Path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.Combine("node.json")));
        directory.RemoveNodeFile();
        Assert.Null(NodeFile.Read(directory.Path));
    }

    [Fact]
    public void Path_too_long_for_a_socket_gets_a_short_one_of_its_own()
    {
        using var directory = DataDirectory.Open(temporary.Combine(new string('d', 120)));
        var socket = directory.PrepareApiSocket();
        Assert.True(socket.Length <= 107);
        var parent = Path.GetDirectoryName(socket)!; // The socket is in a directory.
        try
        {
            Assert.Equal(OwnerOnly, File.GetUnixFileMode(parent));
            File.SetUnixFileMode(parent, OwnerOnly | UnixFileMode.OtherRead);
            Assert.Throws<StartupException>(directory.PrepareApiSocket);
        }
        finally
        {
            Directory.Delete(parent);
        }
    }

    public void Dispose() => temporary.Dispose();

    private static bool IsLocked(string path)
    {
        try
        {
            DataDirectory.Open(path).Dispose();
            return false;
        }
        catch (StartupException)
        {
            return true;
        }
    }
}
