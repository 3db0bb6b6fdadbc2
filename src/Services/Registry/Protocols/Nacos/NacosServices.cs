using System.Globalization;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Services.Registry.Consumers;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>Lists: the instances of a service, the services of a group, and who subscribes.</summary>
internal sealed class NacosServices(
    InstanceRegistry registry, RegistryAccess access, NacosPush push, ConsumerBook consumers, TimeProvider time)
{
    /// <summary>The instances of a service; who says a port for datagrams is told of changes there.</summary>
    public Task ListInstancesAsync(NacosCall call)
    {
        if (!NacosTarget.ReadService(call.Form).TryGet(out var service, out var fault)) return call.FailAsync(fault);
        fault = access.Check(call.Context, Verb.Discover, RegistryAccess.Target(service));
        if (fault is not null) return call.FailAsync(fault);
        var clusters = call.Form["clusters"] ?? "";
        var isHealthyOnly = call.Form["healthyOnly"] is { } only && bool.TryParse(only, out var flag) && flag;
        var isPushed = int.TryParse(
                call.Form["udpPort"], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && push.Subscribe(call.Context, service, clusters, port, call.Form["app"]);
        NoteConsumer(call.Context, service);
        var list = NacosList.Of(registry, service, clusters, isHealthyOnly);
        var cache = isPushed ? NacosLimits.PushedCacheMilliseconds : NacosLimits.PolledCacheMilliseconds;
        return call.JsonAsync(json => list.Write(json, cache, time.GetUtcNow().ToUnixTimeMilliseconds()));
    }

    /// <summary>A page of the names of a group's services, without the group.</summary>
    public Task ListServicesAsync(NacosCall call)
    {
        if (!TryReadPage(call.Form, out var page, out var size))
            return call.FailAsync(
                new Fault(ErrorCodes.BadRequest, "'pageNo' and 'pageSize' must be numbers above 0."));
        var @namespace = ProtocolNames.NamespaceOfNacos(call.Form["namespaceId"]);
        var group = ProtocolNames.GroupOfNacos(call.Form["groupName"]);
        var names = registry.Views
            .Where(view => view.Key.Namespace == @namespace && view.Key.Group == group && !view.Instances.IsEmpty
                && access.Allows(call.Caller, Verb.Discover, RegistryAccess.Target(view.Key)))
            .Select(view => view.Key.Service)
            .Order(StringComparer.Ordinal)
            .ToArray();
        var shown = names.Skip((int)Math.Min((page - 1L) * size, names.Length)).Take(size);
        return call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("count", names.Length);
            json.WriteStartArray(call.IsV2 ? "services" : "doms");
            foreach (var name in shown) json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>One service: its clusters and its protection.</summary>
    public Task ShowServiceAsync(NacosCall call)
    {
        if (!NacosTarget.ReadService(call.Form).TryGet(out var service, out var fault)) return call.FailAsync(fault);
        fault = access.Check(call.Context, Verb.Discover, RegistryAccess.Target(service));
        if (fault is not null) return call.FailAsync(fault);
        if (registry.FindFresh(service) is not { } view)
            return call.FailAsync(new Fault(ErrorCodes.InstanceNotFound, $"There is no service {service}."));
        return call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteString(call.IsV2 ? "namespace" : "namespaceId", ProtocolNames.NamespaceToNacos(
                service.Namespace));
            json.WriteString("groupName", ProtocolNames.GroupToNacos(service.Group));
            json.WriteString(call.IsV2 ? "serviceName" : "name", service.Service);
            json.WriteNumber("protectThreshold", registry.Policies.Of(service).Threshold);
            json.WriteStartObject("metadata");
            json.WriteEndObject();
            json.WriteStartObject("selector");
            json.WriteString("type", "none");
            json.WriteEndObject();
            json.WriteStartArray("clusters");
            foreach (var cluster in view.Instances.Select(NacosWords.ClusterName).Distinct(StringComparer.Ordinal))
            {
                json.WriteStartObject();
                json.WriteString("name", cluster);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>Who is pushed to, on this node.</summary>
    public Task ListSubscribersAsync(NacosCall call)
    {
        if (!NacosTarget.ReadService(call.Form).TryGet(out var service, out var fault)) return call.FailAsync(fault);
        fault = access.Check(call.Context, Verb.Discover, RegistryAccess.Target(service));
        if (fault is not null) return call.FailAsync(fault);
        var subscribers = push.SubscribersOf(service);
        return call.JsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("subscribers");
            foreach (var one in subscribers.Take(NacosLimits.MaxListedSubscribers))
            {
                json.WriteStartObject();
                json.WriteString("addrStr", one.Key.Peer.ToString());
                json.WriteString("agent", one.Agent);
                json.WriteString("app", one.App);
                json.WriteString("ip", one.Key.Peer.Address.ToString());
                json.WriteNumber("port", one.Key.Peer.Port);
                json.WriteString("namespaceId", ProtocolNames.NamespaceToNacos(service.Namespace));
                json.WriteString("serviceName", ProtocolNames.ToNacos(service));
                json.WriteString("cluster", one.Key.Clusters);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteNumber("count", subscribers.Count);
            json.WriteEndObject();
        });
    }

    // By its address: a client of Nacos says nothing of itself when it looks.
    private void NoteConsumer(HttpContext context, ServiceKey service)
    {
        if (RequestAddress.Of(context) is { } address)
            consumers.Note(
                new ConsumerLink(service, $"{NacosWords.Protocol}/{address}", ConsumerBook.Watch), []);
    }

    private static bool TryReadPage(FormCall form, out int page, out int size)
    {
        size = 0;
        // Any size: Spring asks for a page of 2,147,483,647, and there are not so many names.
        return TryReadNumber(form["pageNo"], 1, out page) && TryReadNumber(form["pageSize"], 20, out size);
    }

    private static bool TryReadNumber(string? text, int usual, out int number)
    {
        number = usual;
        return string.IsNullOrEmpty(text)
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0);
    }
}
