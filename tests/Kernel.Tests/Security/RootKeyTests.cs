using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Security;

public sealed class RootKeyTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private string KeyPath => directory.Combine(RootKeyFile.DefaultName);

    public void Dispose() => directory.Dispose();

    [Fact]
    public void First_start_makes_a_file_that_only_its_owner_reads_and_the_next_start_finds_the_same_key()
    {
        var first = RootKeyFile.ReadOrCreate(KeyPath).Value;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
        Assert.Equal(first.Export(), RootKeyFile.ReadOrCreate(KeyPath).Value.Export());
        Assert.Equal([KeyPath], Directory.GetFiles(directory.Path));
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite)]
    public void File_that_others_can_reach_is_refused(UnixFileMode mode)
    {
        RootKeyFile.ReadOrCreate(KeyPath);
        File.SetUnixFileMode(KeyPath, mode);
        Assert.Equal(ErrorCodes.RootKeyInvalid, RootKeyFile.ReadOrCreate(KeyPath).Fault?.Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("gwroot1_")]
    [InlineData("gwroot1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")]
    [InlineData("gwroot1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")]
    [InlineData("gwroot1_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!\n")]
    public void File_without_a_whole_key_is_refused_and_left_alone(string content)
    {
        File.WriteAllText(KeyPath, content);
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Equal(ErrorCodes.RootKeyInvalid, RootKeyFile.ReadOrCreate(KeyPath).Fault?.Error);
        Assert.Equal(content, File.ReadAllText(KeyPath));
    }

    [Fact]
    public void File_is_never_overwritten()
    {
        var there = RootKeyFile.ReadOrCreate(KeyPath).Value;
        Assert.False(RootKeyFile.TryWrite(KeyPath, RootKey.Generate()));
        Assert.Equal(there.Export(), RootKeyFile.Read(KeyPath).Value.Export());
    }

    [Fact]
    public async Task Of_many_that_create_it_at_once_all_get_the_one_that_stays()
    {
        var keys =
            await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => RootKeyFile.ReadOrCreate(KeyPath))));
        Assert.Single(keys.Select(key => key.Value.Fingerprint).Distinct());
    }

    [Fact]
    public void Every_derived_key_is_different_and_none_is_the_root_key()
    {
        var root = RootKey.Generate();
        var derived = new[]
        {
            root.WrappingKey(), root.MaskKey(), root.TokenKey(), root.PasswordCacheKey(), root.CheckpointKey(),
            root.Export(),
        };
        Assert.Equal(derived.Length, derived.Select(Convert.ToHexString).Distinct().Count());
        Assert.DoesNotContain(
            root.Fingerprint.Replace("-", "", StringComparison.Ordinal),
            Convert.ToHexStringLower(root.Export()), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_installs_share_no_key()
    {
        var (one, other) = (RootKey.Generate(), RootKey.Generate());
        Assert.NotEqual(one.Fingerprint, other.Fingerprint);
        Assert.NotEqual(one.WrappingKey(), other.WrappingKey());
        Assert.NotEqual(one.MaskKey(), other.MaskKey());
    }

    [Fact]
    public void Derivation_stays_as_it_is_because_stores_depend_on_it()
    {
        var root = RootKey.Of(Enumerable.Range(0, 32).Select(number => (byte)number).ToArray());
        // Computed with another implementation of RFC 5869: no salt, info "groundwork 1: " and the purpose.
        Assert.Equal("9ab5-2615-5f85-ed58", root.Fingerprint);
        Assert.Equal(
            "aee5ffcdfe8a227f82acb4b2da62842d076309c91e62ac42742efd8ad0e802d3",
            Convert.ToHexStringLower(root.WrappingKey()));
    }

    [Fact]
    public async Task Store_refuses_a_node_with_another_root_key_and_names_both()
    {
        var (ours, theirs) = (RootKey.Generate(), RootKey.Generate());
        var time = new ManualTimeProvider();
        await using var storage = await OpenSecurity.SqliteAsync(directory, time);
        await storage.MigrateAsync(SecuritySchema.Migrations, CancellationToken.None);
        Assert.True(
            (await WorkingKeys.OpenAsync(storage, ours, NullLogger.Instance, CancellationToken.None)).Succeeded);
        var refused = (await WorkingKeys.OpenAsync(storage, theirs, NullLogger.Instance, CancellationToken.None)).Fault;
        Assert.Equal(ErrorCodes.RootKeyMismatch, refused?.Error);
        Assert.Contains(ours.Fingerprint, refused!.Detail, StringComparison.Ordinal);
        Assert.Contains(theirs.Fingerprint, refused.Detail, StringComparison.Ordinal);
        Assert.True(
            (await WorkingKeys.OpenAsync(storage, ours, NullLogger.Instance, CancellationToken.None)).Succeeded);
    }
}
