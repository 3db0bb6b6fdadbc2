using Groundwork.Services.Registry;
using Groundwork.Services.Registry.Leases;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Services.Tests.Registry;

/// <summary>A registry in memory with its expiry loop, moved by hand.</summary>
internal sealed class LeasedRegistry
{
    public static readonly ServiceKey Orders = new("default", ServiceKey.DefaultGroup, "orders");

    private readonly InstanceRules rules;

    public LeasedRegistry(
        RegistryOptions? options = null, Func<IReadOnlySet<string>>? liveNodes = null, string node = "a")
    {
        Registry = new InstanceRegistry(options ?? new RegistryOptions(), node, "store", Time, NullLogger.Instance);
        Expiry = new LeaseExpiry(
            Registry, Time, liveNodes ?? (() => new HashSet<string> { node }), NullLogger.Instance);
        rules = new InstanceRules(new TextPool(), Time);
    }

    public ManualTimeProvider Time { get; } = new();

    public InstanceRegistry Registry { get; }

    public LeaseExpiry Expiry { get; }

    public static InstanceKey Key(string id, string service = "orders") =>
        new(new ServiceKey("default", ServiceKey.DefaultGroup, service), id);

    public static InstanceDocument Document(string id, string service = "orders") =>
        new(service, "10.0.0.1", 8080, Id: id);

    public Outcome<RegistrationAnswer> TryRegister(InstanceDocument document) =>
        rules.Read(document, "test").TryGet(out var wanted, out var fault) ? Registry.Register(wanted, "test") : fault;

    public RegistrationAnswer Register(InstanceDocument document) => TryRegister(document).Value;

    public RegistrationAnswer Register(string id, string service = "orders") => Register(Document(id, service));

    public void Register(int count, string service = "orders")
    {
        for (var at = 0; at < count; at++) Register($"i{at:000}", service);
    }

    /// <summary>Lets time pass as a process that runs sees it: tick by tick.</summary>
    public void Pass(TimeSpan span)
    {
        for (var passed = TimeSpan.Zero; passed < span; passed += TimerWheel.SlotWidth)
        {
            Time.Advance(TimerWheel.SlotWidth);
            Expiry.Tick();
        }
    }

    public void PassSeconds(double seconds) => Pass(TimeSpan.FromSeconds(seconds));

    /// <summary>Time passes, and these renew every third of the lease.</summary>
    public void PassRenewing(double seconds, params IEnumerable<string> ids)
    {
        for (var passed = 0.0; passed < seconds; passed += 5)
        {
            foreach (var id in ids) Registry.Renew(Key(id), incarnation: null);
            PassSeconds(Math.Min(5, seconds - passed));
        }
    }

    /// <summary>The process is stopped for so long: time passes, and nothing runs.</summary>
    public void Stall(double seconds) => Time.Advance(TimeSpan.FromSeconds(seconds));

    public ServiceView View(string service = "orders") => Registry.FindFresh(Key("", service).Service)
        ?? throw new InvalidOperationException($"{service} is not known.");

    public string[] Ids(string service = "orders") => [.. View(service).Instances.Select(instance => instance.Key.Id)];

    public string[] Callable(string service = "orders") =>
        [.. View(service).Callable.Select(instance => instance.Key.Id)];

    public string[] Events(string service = "orders") =>
        [.. Registry.Events(Key("", service).Service).Reverse()
            .Select(happened => $"{InstanceWords.Of(happened.Kind)} {happened.Id}")];
}
