using Groundwork.Kernel.Security;
using Groundwork.Kernel.Tests.Storage;

namespace Groundwork.Kernel.Tests.Security;

/// <summary>The key pairs that values are sealed under, shared by two nodes over one store.</summary>
public abstract class SealingKeysContract : SecurityContract
{
    private protected SealingKeysContract(ITestDatabase database)
        : base(database)
    {
    }

    [Fact]
    public async Task Nodes_share_the_pairs_and_old_ones_open_after_a_rotation()
    {
        await using var other = await OtherNodeAsync();
        var first = Assert.Single(Node.Security.Sealing.Public);
        Assert.Equal(first, Assert.Single(other.Security.Sealing.Public));
        var old = Seal(first.Id, first.PublicKey);
        Assert.Equal("hunter2", other.Security.Sealing.Open(old, "prod"));

        var next = await Node.Security.Sealing.RotateAsync(CancellationToken.None);
        Assert.Equal(first, Assert.Single(Node.Security.Sealing.Public));
        await Node.Storage.WriteAsync(
            session => session.Execute("UPDATE sealing_keys SET created = created - $1 WHERE id = $2", 3_600_000L,
                next),
            CancellationToken.None);
        await other.Security.Sealing.ReloadAsync(CancellationToken.None);
        await Node.Security.Sealing.ReloadAsync(CancellationToken.None);
        foreach (var keys in new[] { Node.Security.Sealing, other.Security.Sealing })
        {
            Assert.Equal(
                [(next, true), (first.Id, false)], keys.Public.Select(key => (key.Id, key.Current)));
            Assert.Equal("hunter2", keys.Open(old, "prod"));
            Assert.Equal("hunter2", keys.Open(Seal(next, keys.Public[0].PublicKey), "prod"));
            Assert.Null(keys.Open(old, "dev"));
        }
    }

    [Fact]
    public async Task A_private_half_lies_in_the_store_under_the_root_key_alone()
    {
        var rows = await Node.Storage.ReadAsync(SealingKeyStore.Read, CancellationToken.None);
        var row = Assert.Single(rows);
        Assert.Null(new WorkingKey("other", RootKey.Generate().SealingKey()).TryOpen(
            row.Wrapped, System.Text.Encoding.ASCII.GetBytes(row.Id)));
        Assert.NotNull(new WorkingKey("root", Node.Root.SealingKey()).TryOpen(
            row.Wrapped, System.Text.Encoding.ASCII.GetBytes(row.Id)));
    }

    private static string Seal(string id, string publicKey) =>
        SealedValue.Seal(id, Convert.FromBase64String(publicKey), "prod", "hunter2");
}
