using Groundwork.Kernel.Security;
using Groundwork.Kernel.Tests.Storage;
using Groundwork.Tests.Support;

namespace Groundwork.Kernel.Tests.Security;

/// <summary>A node's security and change log on a store; one class per engine runs each contract.</summary>
public abstract class SecurityContract : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private readonly ITestDatabase database;
    private OpenSecurity? node;

    private protected SecurityContract(ITestDatabase database) => this.database = database;

    private protected ManualTimeProvider Time { get; } = new();

    private protected OpenSecurity Node => node ?? throw new InvalidOperationException("The test has not started.");

    public async ValueTask InitializeAsync() => node = await OpenSecurity.OnAsync(
        await database.OpenAsync(Time), directory, RootKey.Generate(), Time, withAdmin: true);

    public async ValueTask DisposeAsync()
    {
        if (node is not null) await node.DisposeAsync();
        database.Dispose();
        directory.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Another node over the same store, for what the two do not share: memory.</summary>
    private protected async Task<OpenSecurity> OtherNodeAsync() => await OpenSecurity.OnAsync(
        await database.OpenAsync(Time), directory, Node.Root, Time, withAdmin: false, node: "b");
}
