using System.CommandLine;
using Groundwork.Host.CommandLine;
using Groundwork.Services.Registry;
using Groundwork.Wire;

namespace Groundwork.Host.Api;

/// <summary>Names of services and instances, as people type them, and their addresses in the API.</summary>
internal static class RegistryName
{
    public static Argument<string> ServiceArgument { get; } = new("service")
    {
        Description = "[NAMESPACE/][GROUP@@]SERVICE, such as catalog or shop/catalog",
    };

    public static Argument<string> InstanceArgument { get; } = new("instance")
    {
        Description = "[NAMESPACE/][GROUP@@]SERVICE/ID, such as shop/catalog/1",
    };

    public static ServiceKey Service(Call call) => Service(call.Required(ServiceArgument));

    public static ServiceKey Service(string typed) => ServiceKey.TryParse(typed, Names.DefaultNamespace, out var key)
        ? key.Value
        : throw VerbFailure.Usage($"'{typed}' is not a service: [NAMESPACE/][GROUP@@]SERVICE");

    public static InstanceKey Instance(Call call) => Instance(call.Required(InstanceArgument));

    public static InstanceKey Instance(string typed)
    {
        var whole = typed.Count(c => c == '/') == 1 ? $"{Names.DefaultNamespace}/{typed}" : typed;
        return InstanceKey.TryParse(whole, out var key)
            ? key.Value
            : throw VerbFailure.Usage($"'{typed}' is not an instance: [NAMESPACE/][GROUP@@]SERVICE/ID");
    }

    /// <summary>The address of something below a service.</summary>
    public static string Path(ServiceKey key, string below) => ApiPaths.With(
        $"registry/services/{Uri.EscapeDataString(key.Namespace)}/{Uri.EscapeDataString(key.Service)}{below}",
        ("group", Group(key)));

    /// <summary>The address of something below an instance.</summary>
    public static string Path(InstanceKey key, string below) => ApiPaths.With(
        $"registry/instances/{Uri.EscapeDataString(key.Service.Namespace)}/{Uri.EscapeDataString(key.Service.Service)}/"
        + $"{Uri.EscapeDataString(key.Id)}{below}",
        ("group", Group(key.Service)));

    /// <summary>The service in a query, where the group goes with the name.</summary>
    public static string InQuery(ServiceKey key) => key.Group == ServiceKey.DefaultGroup
        ? key.Service
        : $"{key.Group}{ServiceKey.GroupSeparator}{key.Service}";

    private static string? Group(ServiceKey key) => key.Group == ServiceKey.DefaultGroup ? null : key.Group;
}
