using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Security;

/// <summary>
/// The security of a running node, composed: opened after the migrations and before the change log, started when there
/// are snapshots, stopped after everything that may still be refused.
/// </summary>
public sealed partial class NodeSecurity : IAsyncDisposable
{
    private readonly NodeSecurityParts parts;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopping = new();
    private readonly List<Task> loops = [];
    private IDisposable? following;
    private bool stopped;

    private NodeSecurity(NodeSecurityParts parts, WorkingKeys keys, SealingKeys sealing)
    {
        this.parts = parts;
        logger = parts.Logs.CreateLogger<NodeSecurity>();
        Keys = keys;
        Sealing = sealing;
        Secrets = new SecretProtector(parts.Root, keys);
        SessionKey = parts.Root.SessionKey();
        Authorizer = new Authorizer();
        ChangeChain = parts.Root.ChangeChain();
        Audit = new AuditLog(
            parts.Storage, parts.Root.EventChain(), parts.Node, parts.Time, parts.Logs.CreateLogger<AuditLog>());
        var file = new AuditCheckpointFileStore(Path.Combine(parts.DataDirectory, AuditCheckpointFileStore.Name));
        Checkpoints = new AuditCheckpoints(
            parts.Storage, file, Audit, parts.Root, parts.Node, parts.Time,
            parts.Logs.CreateLogger<AuditCheckpoints>());
        Verifier = new AuditVerifier(parts.Storage, parts.Root, file, parts.Node);
        Passwords = new PasswordVerifier(Authorizer, Secrets, parts.Root, parts.Time);
        Links = new SignInLinks(parts.Storage, Authorizer, Audit, parts.Time);
        SignIns = new SignIns(parts.Storage, Authorizer, Passwords, Links, Audit, parts.Root, parts.Time);
        Authenticator = new Authenticator(
            Authorizer, SignIns, Passwords, Audit, parts.Time, Posix.OwnerOf(parts.DataDirectory));
    }

    public WorkingKeys Keys { get; }

    /// <summary>Signs what clients keep for the gateway.</summary>
    public ReadOnlyMemory<byte> SessionKey { get; }

    public SealingKeys Sealing { get; }

    public SecretProtector Secrets { get; }

    public Authorizer Authorizer { get; }

    /// <summary>Links the change rows.</summary>
    public AuditChain ChangeChain { get; }

    public AuditLog Audit { get; }

    public AuditCheckpoints Checkpoints { get; }

    public AuditVerifier Verifier { get; }

    public PasswordVerifier Passwords { get; }

    public SignIns SignIns { get; }

    public SignInLinks Links { get; }

    public Authenticator Authenticator { get; }

    /// <summary>Opens the keys of the store, or says why this node has no business there.</summary>
    public static async Task<Outcome<NodeSecurity>> OpenAsync(
        NodeSecurityParts parts, CancellationToken cancellationToken)
    {
        var keys = await WorkingKeys.OpenAsync(
            parts.Storage, parts.Root, parts.Logs.CreateLogger<WorkingKeys>(), cancellationToken);
        if (!keys.TryGet(out var opened, out var fault)) return fault;
        var sealing = await SealingKeys.OpenAsync(
            parts.Storage, parts.Root, parts.Logs.CreateLogger<SealingKeys>(), cancellationToken);
        return sealing.TryGet(out var pairs, out fault) ? new NodeSecurity(parts, opened, pairs) : fault;
    }

    /// <summary>For a follower: no store, so access keys and the Unix socket are the only credentials.</summary>
    public static (Authorizer Authorizer, Authenticator Authenticator, IDisposable Following) ForFollower(
        ISnapshotSource snapshots, string dataDirectory, TimeProvider time)
    {
        var authorizer = new Authorizer();
        var authenticator = new Authenticator(authorizer, null, null, null, time, Posix.OwnerOf(dataDirectory));
        return (authorizer, authenticator, authorizer.Follow(snapshots));
    }

    /// <summary>Makes an invitation for another node, and writes down who did.</summary>
    public async Task<NodeInvitationAnswer> InviteAsync(
        IReadOnlyDictionary<string, string> hints, Principal by, CancellationToken cancellationToken)
    {
        var expires = parts.Time.GetUtcNow() + NodeInvitation.ValidFor;
        var (bundle, code) = await NodeInvitation.CreateAsync(
            parts.Storage, parts.Root, hints, by.Name, parts.Time, cancellationToken);
        Audit.Append(new AuditEvent(by.Name, "node-invite", "node", AuditLog.Ok));
        return new NodeInvitationAnswer(bundle, code, expires);
    }

    /// <summary>Follows roles, operators and keys, and starts the loops.</summary>
    public void Start(ISnapshotSource snapshots)
    {
        following = Authorizer.Follow(snapshots);
        loops.Add(LoopAsync("audit trail", Audit.RunAsync));
        loops.Add(LoopAsync("audit checkpoints", token => Checkpoints.RunAsync(snapshots, token)));
        loops.Add(LoopAsync("working keys", token => Keys.RunAsync(parts.Time, token)));
        loops.Add(LoopAsync("sealing keys", token => Sealing.RunAsync(parts.Time, token)));
    }

    /// <summary>Ends the loops, writes what is waiting and a last checkpoint. The store is still open.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (stopped) return;
        stopped = true;
        await stopping.CancelAsync();
        await Task.WhenAll(loops);
        following?.Dispose();
        try
        {
            await Audit.FlushAsync(closing: true, cancellationToken);
            await Checkpoints.WriteAsync(cancellationToken);
            await Audit.FlushAsync(closing: true, cancellationToken);
        }
        catch (Exception failure) when (failure is StorageException or IOException or UnauthorizedAccessException)
        {
            LogUnfinished(failure.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        stopping.Dispose();
        Passwords.Dispose();
    }

    private async Task LoopAsync(string what, Func<CancellationToken, Task> loop)
    {
        while (true)
        {
            try
            {
                await loop(stopping.Token);
                return;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogLoopFailed(failure, what); // A loop survives a bug in one round; its timer paces the next.
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "A round of the loop for the {What} failed; it goes on.")]
    private partial void LogLoopFailed(Exception failure, string what);

    [LoggerMessage(LogLevel.Warning, "The end of the audit trail could not be written: {Reason}")]
    private partial void LogUnfinished(string reason);
}

/// <summary>What the security of a node stands on.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="DataDirectory">Its own directory; holds the checkpoint file.</param>
public sealed record NodeSecurityParts(
    IStorage Storage, RootKey Root, string Node, string DataDirectory, TimeProvider Time, ILoggerFactory Logs);
