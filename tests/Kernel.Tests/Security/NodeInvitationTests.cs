using System.Text.Json.Nodes;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Security;

public sealed class NodeInvitationTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string> Hints =
        new() { ["database"] = "Host=db.example;Database=groundwork" };

    private readonly TemporaryDirectory directory = new();
    private readonly ManualTimeProvider time = new();
    private readonly RootKey root = RootKey.Generate();
    private IStorage storage = null!; // Opened before each test.

    public async ValueTask InitializeAsync()
    {
        storage = await OpenSecurity.SqliteAsync(directory, time);
        await storage.MigrateAsync(SecuritySchema.Migrations, default);
    }

    public async ValueTask DisposeAsync()
    {
        await storage.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Bundle_and_code_together_bring_the_root_key_and_the_hints()
    {
        var (bundle, code) = await InviteAsync();
        var opened = NodeInvitation.Open(bundle, code.ToLowerInvariant().Replace('-', ' '), time.GetUtcNow()).Value;
        Assert.Equal(root.Export(), opened.Root.Export());
        Assert.Equal(Hints, opened.Hints);
        Assert.Null(await NodeInvitation.RedeemAsync(storage, opened.Id, "b", default));
    }

    [Fact]
    public async Task Bundle_alone_shows_nothing()
    {
        var (bundle, code) = await InviteAsync();
        Assert.DoesNotContain("db.example", bundle, StringComparison.Ordinal);
        Assert.DoesNotContain(RootKeyFile.Encode(root).Trim(), bundle, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(root.Export()), bundle, StringComparison.Ordinal);
        Assert.DoesNotContain(code, bundle, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invitation_is_taken_once()
    {
        var (bundle, code) = await InviteAsync();
        var id = NodeInvitation.Open(bundle, code, time.GetUtcNow()).Value.Id;
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(number =>
            NodeInvitation.RedeemAsync(storage, id, $"n{number}", default)));
        Assert.Equal(1, all.Count(fault => fault is null));
        Assert.All(
            all.Where(fault => fault is not null), fault => Assert.Equal(ErrorCodes.InvitationInvalid, fault!.Error));
    }

    [Fact]
    public async Task Invitation_ends_after_an_hour_on_both_sides()
    {
        var (bundle, code) = await InviteAsync();
        var id = NodeInvitation.Open(bundle, code, time.GetUtcNow()).Value.Id;
        time.Advance(NodeInvitation.ValidFor);
        Refused(bundle, code);
        Assert.NotNull(await NodeInvitation.RedeemAsync(storage, id, "b", default));
    }

    [Fact]
    public async Task Wrong_code_is_refused()
    {
        var (bundle, code) = await InviteAsync();
        Refused(bundle, code[..^1] + (code[^1] == 'A' ? 'B' : 'A'));
        Refused(bundle, "");
        Refused(bundle, (await InviteAsync()).Code);
    }

    [Fact]
    public async Task Altered_bundle_is_refused()
    {
        var (bundle, code) = await InviteAsync();
        var later = JsonNode.Parse(bundle)!.AsObject();
        later["expires"] = later["expires"]!.GetValue<long>() + 3_600_000;
        Refused(later.ToJsonString(), code);
        var other = JsonNode.Parse(bundle)!.AsObject();
        other["id"] = Guid.CreateVersion7(time.GetUtcNow());
        Refused(other.ToJsonString(), code);
        foreach (var junk in new[] { "", "null", "{}", "[]", "not json",
            new string(' ', NodeInvitation.MaxBundleBytes + 1) })
            Refused(junk, code);
    }

    private void Refused(string bundle, string code) => Assert.Equal(
        ErrorCodes.InvitationInvalid, NodeInvitation.Open(bundle, code, time.GetUtcNow()).Fault?.Error);

    private Task<(string Bundle, string Code)> InviteAsync() =>
        NodeInvitation.CreateAsync(storage, root, Hints, "operator:admin", time, default);
}
