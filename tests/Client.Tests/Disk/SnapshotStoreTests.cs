using Groundwork.Client.Disk;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Tests.Disk;

public sealed class SnapshotStoreTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    [Fact]
    public void What_is_written_is_read_again()
    {
        var store = new SnapshotStore(directory.Combine("a", "b", "x.snapshot"));
        var snapshot = Snapshot("secret");

        Assert.Null(store.Write(snapshot));

        var read = store.Read().Value;
        Assert.NotNull(read);
        Assert.Equal("secret", read.Settings?.Settings[0].Content);
        Assert.Equal("spring", read.Settings?.Settings[0].Release);
        Assert.Equal(7, read.Services[0].Index);
        Assert.Equal(snapshot.WrittenAt, read.WrittenAt);
    }

    [Fact]
    public void Nothing_on_disk_is_no_fault()
    {
        var outcome = new SnapshotStore(directory.Combine("x.snapshot")).Read();

        Assert.Null(outcome.Fault);
        Assert.Null(outcome.Value);
    }

    [Fact]
    public void Only_the_owner_may_read_the_file_and_its_directory()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "modes are of Unix");
        var store = new SnapshotStore(directory.Combine("own", "x.snapshot"));

        store.Write(Snapshot("secret"));
        store.Write(Snapshot("again")); // A replaced file keeps the mode.

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(store.Path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(directory.Combine("own")));
        Assert.Single(Directory.GetFiles(directory.Combine("own")));
    }

    [Fact]
    public void A_file_that_others_may_write_is_a_fault()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "modes are of Unix");
        var store = new SnapshotStore(directory.Combine("x.snapshot"));
        store.Write(Snapshot("secret"));

        File.SetUnixFileMode(store.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);

        Assert.Contains("others", store.Read().Fault?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_damaged_or_cut_anywhere_is_a_fault()
    {
        var store = new SnapshotStore(directory.Combine("x.snapshot"));
        store.Write(Snapshot("secret"));
        var whole = File.ReadAllBytes(store.Path);
        for (var offset = 0; offset < whole.Length; offset++)
        {
            var damaged = whole.ToArray();
            damaged[offset] ^= 0x20;
            File.WriteAllBytes(store.Path, damaged);
            Assert.True(store.Read().Fault is not null, $"byte {offset} was changed unnoticed");
            File.WriteAllBytes(store.Path, whole[..offset]);
            Assert.True(store.Read().Fault is not null, $"cut at {offset} unnoticed");
        }
    }

    [Fact]
    public void A_directory_that_cannot_be_written_is_a_fault_and_no_exception()
    {
        var store = new SnapshotStore(Path.Combine(directory.Write("file", ""), "x.snapshot"));

        Assert.NotNull(store.Write(Snapshot("secret")));
    }

    public void Dispose() => directory.Dispose();

    private static DiskSnapshot Snapshot(string content) => new(
        new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero),
        new SettingSnapshot("store", 5, "default", [PlatformStub.Setting("orders", "main", "text", content, 5) with
        {
            Release = "spring",
        }]),
        [new ServiceDocument("default", "default", "catalog", 7, "store", false, [new("catalog", "127.0.0.1", 5000)])]);
}
