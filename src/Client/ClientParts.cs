using Groundwork.Client.Calls;
using Groundwork.Client.Disk;
using Groundwork.Client.Discovery;
using Groundwork.Client.Flags;
using Groundwork.Client.Platform;
using Groundwork.Client.Receipts;
using Groundwork.Client.Registration;
using Groundwork.Client.Settings;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client;

/// <summary>
/// The SDK put together by hand, before the host exists: its settings are part of what builds the host.
/// </summary>
internal sealed partial class ClientParts : IDisposable
{
    private readonly ILogger log;
    private readonly SnapshotStore? store;

    public ClientParts(GroundworkOptions options)
    {
        Options = options;
        log = Log;
        Meters = new ClientMeters();
        Self = new CallerName(options);
        Platform = new PlatformConnection(options, Self, Log);
        Provider = new SettingsProvider();
        LastGood = new LastGoodOptions(Meters, Log);
        Reader = new ReaderIdentity(options);
        var origins = new SettingOrigins();
        var book = new ReceiptBook();
        Users = new SettingUsers(Provider, origins, book);
        var exposures = new FlagExposures();
        Meters.Show(exposures);
        Receipts = new ReceiptReporter(options, Platform, Reader, book, origins, exposures, Log);
        var flags = new FlagTable();
        Flags = new GroundworkFlags(flags, Reader.Labels);
        Settings = new SettingsFollower(
            options, Platform, Provider, Reader, book, origins, Users, flags, exposures, Meters, Log, Touch,
            Receipts.SendAgain);
        Directory = new ServiceDirectory(options, Platform, Log, Touch);
        Watch = new ServiceWatch(options, Platform, Directory, Log);
        Calls = new CallPlans(options, Meters, Log);
        Checks = new SettingChecks(Users, [Calls]);
        Meters.Show(() => Calls.Breakers);
        Caller = new ServiceCaller(options, Directory, Calls, Meters, Self, Log);
        Outcomes = new OutcomeReporter(options, Platform, Directory, Calls, Self, Log);
        Registration = new InstanceRegistration(options, Platform, Self, Meters, Log);
        if (!options.DiskSnapshot) return;
        if (SnapshotStore.Locate(options) is { } path)
        {
            store = new SnapshotStore(path);
            Disk = new SnapshotWriter(store, Capture, options.Time, Log);
        }
        else
        {
            LogNoDirectory();
        }
    }

    public GroundworkOptions Options { get; }

    public DeferredLog Log { get; } = new();

    public ClientMeters Meters { get; }

    public PlatformConnection Platform { get; }

    public SettingsProvider Provider { get; }

    public LastGoodOptions LastGood { get; }

    public ReaderIdentity Reader { get; }

    public SettingUsers Users { get; }

    public SettingChecks Checks { get; }

    public ReceiptReporter Receipts { get; }

    public GroundworkFlags Flags { get; }

    public SettingsFollower Settings { get; }

    public ServiceDirectory Directory { get; }

    public ServiceWatch Watch { get; }

    public OutcomeReporter Outcomes { get; }

    public CallerName Self { get; }

    /// <summary>How services are called.</summary>
    public CallPlans Calls { get; }

    public ServiceCaller Caller { get; }

    public InstanceRegistration Registration { get; }

    /// <summary>Null when no snapshot is kept.</summary>
    public SnapshotWriter? Disk { get; }

    /// <summary>
    /// Fills the settings before the host is built: from the platform within the limit, else from disk. Never throws
    /// because the platform is away.
    /// </summary>
    public void LoadAtStart()
    {
        try
        {
            Load();
        }
        catch (Exception fault)
        {
            // Whatever the platform answered or the disk held, the host must start; the loops try again.
            LogWithoutSettings(new Fault(ErrorCodes.Internal, fault.ToString()));
        }
    }

    private void Load()
    {
        var snapshot = ReadDisk();
        if (snapshot is not null) Directory.Restore(snapshot.Services);
        var fault = LoadSettings();
        if (fault is null) return;
        if (snapshot?.Settings is { } settings)
        {
            Settings.Restore(settings);
            LogFromDisk(settings.Revision, snapshot.WrittenAt, fault);
        }
        else
        {
            LogWithoutSettings(fault);
        }
    }

    public void Dispose()
    {
        Checks.Dispose();
        Calls.Dispose();
        Reader.Dispose();
        Platform.Dispose();
        Meters.Dispose();
    }

    // Configuration is built synchronously, so this thread waits, and only so long, for another that loads.
    private Fault? LoadSettings()
    {
        using var late = new CancellationTokenSource();
        var loading = Task.Run(() => Settings.LoadAsync(late.Token));
        try
        {
            if (loading.Wait(Options.StartupTimeout)) return loading.GetAwaiter().GetResult();
            // Let go of, and waited for: what it would still write must not come between us and the disk's settings.
            late.Cancel();
            return loading.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            return new Fault(
                PlatformConnection.Away, $"settings did not come within {Options.StartupTimeout.TotalSeconds:0.#} s");
        }
        catch (Exception fault)
        {
            // A bug of ours, or an answer like no other: what is on disk is still good.
            return new Fault(ErrorCodes.Internal, fault.GetBaseException().ToString());
        }
    }

    private DiskSnapshot? ReadDisk()
    {
        if (store is null) return null;
        if (store.Read().TryGet(out var snapshot, out var fault))
            return snapshot;
        LogDamaged(fault);
        return null;
    }

    private DiskSnapshot Capture() => new(Options.Time.GetUtcNow(), Settings.Known, Directory.Documents);

    private void Touch() => Disk?.Touch();

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Starts with the settings of revision {Revision} that were on disk since {WrittenAt:u}. {Fault}")]
    private partial void LogFromDisk(long revision, DateTimeOffset writtenAt, Fault fault);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Starts without the platform's settings, and none are on disk. {Fault}")]
    private partial void LogWithoutSettings(Fault fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The disk snapshot is ignored. {Fault}")]
    private partial void LogDamaged(Fault fault);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "There is no directory for the disk snapshot (GROUNDWORK_STATE_DIRECTORY, STATE_DIRECTORY, HOME)")]
    private partial void LogNoDirectory();
}
