using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Readers;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Settings;

/// <summary>Targets of permissions on settings, and the check of those that only a body names.</summary>
internal sealed class SettingAccess(Authorizer authorizer, AuditLog? audit)
{
    /// <summary>What stands for instances in roles, as the registry has it.</summary>
    private const string InstanceKind = "instance";

    /// <summary>What the grant <c>group/*</c> matches, and no grant on single settings.</summary>
    private const string AllOf = "/*";

    /// <summary>What only a grant on all settings of a namespace matches.</summary>
    private const string All = "*";

    /// <summary>The setting of <c>{namespace}/{group}/{**dataId}</c>.</summary>
    public static ResourceKey PathTarget(HttpContext context)
    {
        var values = context.Request.RouteValues;
        return new ResourceKey(SettingKind.Name, $"{values["namespace"]}", $"{values["group"]}/{values["dataId"]}");
    }

    /// <summary>The setting of <c>?setting=</c>, the settings of <c>?group=</c>, or all of the namespace.</summary>
    public static ResourceKey QueryTarget(HttpContext context)
    {
        var query = context.Request.Query;
        var name = query["setting"].ToString() is { Length: > 0 } setting ? setting
            : query["group"].ToString() is { Length: > 0 } group ? group + AllOf
            : All;
        return NamespaceTarget(context) with { Name = name };
    }

    /// <summary>All settings of the path's namespace.</summary>
    public static ResourceKey NamespaceTarget(HttpContext context) =>
        new(SettingKind.Name, $"{context.Request.RouteValues["namespace"]}", All);

    /// <summary>The instance that a reader says it is: <c>group/service/id</c>.</summary>
    public static ResourceKey Instance(ReaderKey reader)
    {
        var (group, service) = ReaderIdentity.Split(reader.Service);
        return new ResourceKey(InstanceKind, reader.Namespace, $"{group}/{service}/{reader.Instance}");
    }

    /// <summary>Null when the caller may; else the fault, which is in the audit trail then.</summary>
    public Fault? Check(HttpContext context, Verb verb, ResourceKey target)
    {
        var principal = context.Principal();
        var fault = authorizer.Authorize(principal, verb, target);
        if (fault is not null)
            audit?.Append(new AuditEvent(
                principal.Name, "refused", $"{verb} {target}", fault.Error.Code, RequestAddress.Of(context)));
        return fault;
    }

    // One that does not exist yet may come; one that cannot exist is a mistake.
    public static Fault? Misnamed(string name) => name == Names.NodeWide
        ? new Fault(ErrorCodes.NamespaceInvalid, "Settings live in namespaces; name one, such as default.")
        : ApiRequests.CheckNamespace(name);
}
