using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Policies;
using Groundwork.Wire;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>Registers, changes, shows and removes single instances.</summary>
internal sealed class NacosInstances(
    InstanceRegistry registry,
    Registrations registrations,
    InstanceRules rules,
    RegistryAccess access,
    ChangeLog? changes,
    TimeProvider time)
{
    public async Task RegisterAsync(NacosCall call)
    {
        if (!NacosRegistration.Read(call.Form).TryGet(out var said, out var fault))
        {
            await call.FailAsync(fault);
            return;
        }
        fault = await RegisterAsync(call, said, said.Target.Find(registry)?.Key.Id);
        await (fault is null ? call.TextAsync("ok") : call.FailAsync(fault));
    }

    /// <summary>Removing what is not there is right as well.</summary>
    public async Task DeregisterAsync(NacosCall call)
    {
        if (!NacosTarget.Read(call.Form).TryGet(out var target, out var fault))
        {
            await call.FailAsync(fault);
            return;
        }
        var key = target.Find(registry)?.Key ?? target.DerivedKey;
        fault = access.Check(call.Context, Verb.Register, RegistryAccess.Target(key));
        fault ??= await registrations.DeregisterAsync(
            key, incarnation: null, call.Caller.Name, why: null, call.Context.RequestAborted);
        await (fault is null ? call.TextAsync("ok") : call.FailAsync(fault));
    }

    /// <summary>
    /// Changes weight, metadata or whether it is enabled. From somebody who may override instances, weight and enabled
    /// are an operator's word, which lasts through beats, registrations and restarts; else they are the instance's own.
    /// </summary>
    public async Task ChangeAsync(NacosCall call)
    {
        if (!NacosRegistration.Read(call.Form).TryGet(out var said, out var fault))
        {
            await call.FailAsync(fault);
            return;
        }
        if (said.Target.Find(registry) is not { } known)
        {
            await call.FailAsync(InstanceRegistry.NotFound(said.Target.DerivedKey));
            return;
        }
        var place = new ResourceKey(
            InstanceOverrideKind.Name, known.Key.Service.Namespace,
            $"{known.Key.Service.Group}/{known.Key.Service.Service}/{known.Key.Id}");
        if (changes is not null && access.Allows(call.Caller, Verb.Write, place))
        {
            fault = await OverrideAsync(call, place, known, said);
            if (fault is null && said.Metadata is not null)
                fault = await RegisterAsync(
                    call, new NacosRegistration(said.Target) { Metadata = said.Metadata }.Over(known), known.Key.Id);
        }
        else fault = await RegisterAsync(call, said.Over(known), known.Key.Id);
        await (fault is null ? call.TextAsync("ok") : call.FailAsync(fault));
    }

    /// <summary>Says how a persistent instance is; the others say it by their beats.</summary>
    public async Task SetHealthAsync(NacosCall call)
    {
        if (!NacosRegistration.Read(call.Form).TryGet(out var said, out var fault))
        {
            await call.FailAsync(fault);
            return;
        }
        if (said.Target.Find(registry) is not { } known)
            fault = InstanceRegistry.NotFound(said.Target.DerivedKey);
        else if (known.Ephemeral)
            fault = new Fault(ErrorCodes.BadRequest, "An ephemeral instance says by its beats how it is.");
        else if (said.Healthy is null) fault = NacosTarget.Missing("healthy");
        else
            fault = await RegisterAsync(
                call, new NacosRegistration(said.Target) { Healthy = said.Healthy }.Over(known), known.Key.Id);
        await (fault is null ? call.TextAsync("ok") : call.FailAsync(fault));
    }

    public Task ShowAsync(NacosCall call)
    {
        if (!NacosTarget.Read(call.Form).TryGet(out var target, out var fault)) return call.FailAsync(fault);
        fault = access.Check(call.Context, Verb.Discover, RegistryAccess.Target(target.Service));
        if (fault is not null) return call.FailAsync(fault);
        if (target.Find(registry) is not { } known)
            return call.FailAsync(InstanceRegistry.NotFound(target.DerivedKey));
        // As its callers see it, with what operators have put over it.
        var shown = registry.FindFresh(target.Service)?.Instances
            .FirstOrDefault(one => one.Key.Id == known.Key.Id) ?? known;
        var host = new NacosHost(
            shown, shown.Health.State != HealthState.Unhealthy, shown.Status == InstanceStatus.Up);
        return call.JsonAsync(json => NacosList.Write(json, host));
    }

    /// <summary>Null when it is registered.</summary>
    /// <param name="id">Of the instance as it is known already; null: a new one.</param>
    public async ValueTask<Fault?> RegisterAsync(NacosCall call, NacosRegistration said, string? id)
    {
        var document = said.ToDocument(id, time.GetUtcNow());
        var registeredBy = NacosWords.RegisteredBy(call.Context, call.Caller.Name);
        if (!rules.Read(document, registeredBy, RequestAddress.Of(call.Context))
            .TryGet(out var wanted, out var fault)) return fault;
        fault = access.Check(call.Context, Verb.Register, RegistryAccess.Target(wanted.Key));
        if (fault is not null) return fault;
        var registered = await registrations.RegisterAsync(wanted, call.Caller.Name, call.Context.RequestAborted);
        return registered.Fault;
    }

    private async ValueTask<Fault?> OverrideAsync(
        NacosCall call, ResourceKey place, Instance known, NacosRegistration said)
    {
        if (changes is null || said is { Weight: null, Enabled: null }) return null;
        var written = changes.Snapshots.Current.Find(place);
        var spec = written?.As<InstanceOverrideSpec>() ?? new InstanceOverrideSpec();
        if (said.Weight is { } weight)
        {
            var over = NacosWords.WeightOf(weight);
            spec = spec with { Weight = over == known.Weight ? null : over };
        }
        if (said.Enabled is { } enabled) spec = Enable(spec, known, enabled);
        var isNothing = spec is { Weight: null, Status: null, Disabled: false };
        if (isNothing && written is null) return null;
        if (isNothing && access.Check(call.Context, Verb.Delete, place) is { } refused) return refused;
        var change = isNothing
            ? Change.Delete(place)
            : Change.Put(InstanceOverrideKind.Kind, place.Namespace, place.Name, spec);
        var committed = await changes.CommitAsync(
            new Changeset(call.Caller, [change]) { Reason = "changed over Nacos" }, call.Context.RequestAborted);
        if (!committed.TryGet(out var commit, out var fault)) return fault;
        return commit.Proposal is { } proposal
            ? new Fault(ErrorCodes.Forbidden, $"The change takes a second person; it waits as proposal {proposal}.")
            : null;
    }

    // What an operator has said by another status, such as draining, is not undone by saying that it is enabled.
    private static InstanceOverrideSpec Enable(InstanceOverrideSpec spec, Instance known, bool enabled)
    {
        if (!enabled) return spec with { Disabled = true, Status = null };
        var up = InstanceWords.Of(InstanceStatus.Up);
        var kept = spec.Status is "out-of-service" or "down" ? null : spec.Status;
        return spec with
        {
            Disabled = false,
            Status = kept ?? (known.Status is InstanceStatus.OutOfService or InstanceStatus.Down ? up : null),
        };
    }
}
