using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Sqlite;
using Groundwork.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Resources;

/// <summary>The change log on the embedded engine.</summary>
public sealed class SqliteChangeLogTests : ChangeLogContract, IDisposable
{
    private readonly TemporaryDirectory directory = new();

    protected override async Task<IStorage> OpenStorageAsync() => await SqliteStorage.OpenAsync(
        new SqliteOptions { Path = Path.Combine(directory.Path, "store.db") },
        TimeProvider.System,
        NullLoggerFactory.Instance,
        CancellationToken.None);

    public void Dispose() => directory.Dispose();
}
