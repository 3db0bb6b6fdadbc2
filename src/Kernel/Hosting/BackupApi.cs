using System.Globalization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Kernel.Storage.Backup;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// The API of backups: <c>POST /groundwork/v1/backup</c> streams the archive while the store goes on working.
/// </summary>
internal sealed class BackupApi(Node node, IStorage storage)
{
    private const string ArchiveType = "application/octet-stream";

    // One at a time: each holds a read transaction, and SQLite's also a copy on disk, for as long as its reader takes.
    private readonly SemaphoreSlim running = new(1, 1);

    public void Map(IEndpointRouteBuilder endpoints) => endpoints
        // The cast keeps it from being taken for a RequestDelegate.
        .MapPost($"{Listeners.ApiRoot}/backup", (Delegate)Backup)
        .Requires(Verb.Backup, _ => new ResourceKey("node", "", node.Name))
        .WithTags("Node")
        .WithName("backup")
        .WithSummary("Everything in the store at one revision, as one file. The root key is not in it.")
        .Produces<Stream>(StatusCodes.Status200OK, ArchiveType);

    private async Task Backup(HttpContext context)
    {
        if (!await running.WaitAsync(TimeSpan.Zero, context.RequestAborted))
        {
            await Problems.WriteAsync(
                context, new Fault(ErrorCodes.BackupRunning, "Another backup is being taken; wait for its end.")
            {
                RetryAfter = TimeSpan.FromSeconds(10),
            });
            return;
        }
        try
        {
            var at = node.Time.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
            context.Response.ContentType = ArchiveType;
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"groundwork-{at}.backup\"";
            await WriteAsync(context);
        }
        finally
        {
            running.Release();
        }
    }

    /// <summary>Audited when it is known how it ended; one that was broken off has been read in part.</summary>
    private async Task WriteAsync(HttpContext context)
    {
        var (outcome, detail) = (ErrorCodes.Internal.Code, (string?)"broken off; the archive is not whole");
        try
        {
            await BackupArchive.WriteAsync(
                storage, context.Response.Body, Identify, node.Time, null, context.RequestAborted);
            (outcome, detail) = (AuditLog.Ok, null);
        }
        catch (StorageException fault)
        {
            outcome = fault.Fault.Error.Code;
            throw;
        }
        finally
        {
            node.Audit?.Append(new AuditEvent(
                context.Principal().Name, "backup", $"node {node.Name}", outcome, RequestAddress.Of(context), detail));
        }
    }

    private static (Guid StoreId, long Revision) Identify(ISqlSession session)
    {
        var head = ResourceStore.ReadHead(session) ?? throw new InvalidDataException("The change log has no head row.");
        return (Guid.ParseExact(head.StoreId, "N"), head.Revision);
    }
}
