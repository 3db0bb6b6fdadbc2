using System.Text.Json.Serialization;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Kernel.Security;

/// <summary>The kinds of who may do what: node-wide, in memory on every node.</summary>
public static class SecurityKinds
{
    /// <summary>Roles that one operator or access key holds; every check walks through them.</summary>
    public const int MaxRoles = 32;

    private const int MaxDescriptionLength = 512;
    private const int MaxDisplayNameLength = 128;
    private const int HashHexDigits = 64;

    private const string Module = "security";

    // What a role for callers without any credential may hold.
    private static readonly string[] AnonymousVerbs =
        [.. new[] { Verb.Register, Verb.Renew, Verb.Discover, Verb.Read }.Select(VerbNames.Of)];

    public static Kind<OperatorSpec> Operator { get; } = new("operator", SecurityJson.Default.OperatorSpec)
    {
        Module = Module,
        Summary = "A person who operates the platform.",
        Namespaced = false,
        SecretFields = ["passwordHash"],
        Validate = CheckOperator,
        ValidateAgainst = CheckOperatorAgainst,
    };

    public static Kind<RoleSpec> Role { get; } = new("role", SecurityJson.Default.RoleSpec)
    {
        Module = Module,
        Summary = "A named set of permissions.",
        Namespaced = false,
        Validate = (spec, faults) =>
        {
            Grant.Check(spec.Grants, "spec.grants", faults);
            CheckLength(spec.Description, MaxDescriptionLength, "spec.description", faults);
        },
        ValidateAgainst = CheckRoleAgainst,
    };

    public static Kind<AccessKeySpec> AccessKey { get; } = new("access-key", SecurityJson.Default.AccessKeySpec)
    {
        Module = Module,
        Summary = "A key that a program calls with.",
        Namespaced = false,
        Validate = CheckAccessKey,
        ValidateAgainst = (after, _, spec, faults) => CheckRolesExist(after, spec?.Roles, faults),
    };

    public static IReadOnlyList<Kind> All { get; } = [Operator, Role, AccessKey];

    internal static bool Concerns(string kind) => kind == Operator.Name || kind == Role.Name || kind == AccessKey.Name;

    private static void CheckOperator(OperatorSpec spec, ICollection<FieldFault> faults)
    {
        if (spec.PasswordHash.Clear is { } hash && PasswordHash.FindFault(hash) is { } wrong)
            faults.Add(new FieldFault("spec.passwordHash", wrong));
        CheckRoles(spec.Roles, faults);
        CheckLength(spec.DisplayName, MaxDisplayNameLength, "spec.displayName", faults);
    }

    private static void CheckAccessKey(AccessKeySpec spec, ICollection<FieldFault> faults)
    {
        if (spec.Hash.Length != HashHexDigits || !spec.Hash.All(char.IsAsciiHexDigitLower))
        {
            faults.Add(new FieldFault(
                "spec.hash",
                $"must be the SHA-256 of the key, {HashHexDigits} lower-case hex digits; never the key itself"));
        }
        CheckRoles(spec.Roles, faults);
        if (spec.Grants is { } grants) Grant.Check(grants, "spec.grants", faults);
        CheckLength(spec.Description, MaxDescriptionLength, "spec.description", faults);
    }

    private static void CheckRoles(IReadOnlyList<string> roles, ICollection<FieldFault> faults)
    {
        if (roles.Count > MaxRoles)
            faults.Add(new FieldFault("spec.roles", $"has {roles.Count} roles, {MaxRoles} are allowed"));
        for (var place = 0; place < roles.Count; place++)
            if (!Names.IsName(roles[place]))
                faults.Add(new FieldFault($"spec.roles[{place}]", $"'{roles[place]}' is not a name"));
    }

    private static void CheckLength(string? text, int most, string path, ICollection<FieldFault> faults)
    {
        if (text?.Length > most) faults.Add(new FieldFault(path, $"has {text.Length} characters, {most} are allowed"));
    }

    private static void CheckOperatorAgainst(
        Snapshot after, ResourceKey key, OperatorSpec? spec, ICollection<FieldFault> faults)
    {
        CheckRolesExist(after, spec?.Roles, faults);
        if (!IsEnabledAdministrator(spec) && !HasAdministrator(after))
        {
            faults.Add(new FieldFault(
                spec is null ? "" : "spec.roles",
                $"would leave no enabled operator with the role {BuiltInRoles.Administrator}"));
        }
    }

    private static bool HasAdministrator(Snapshot after)
    {
        // The one that the first start makes is as a rule still there; only without it is there a search.
        if (IsEnabledAdministrator(after.Find(Operator.Name, "", AdminBootstrap.OperatorName)?.As<OperatorSpec>()))
            return true;
        foreach (var (_, resource) in after.Of(Operator.Name))
            if (IsEnabledAdministrator(resource.As<OperatorSpec>())) return true;
        return false;
    }

    private static bool IsEnabledAdministrator(OperatorSpec? spec) =>
        spec is { Disabled: false } && spec.Roles.Contains(BuiltInRoles.Administrator);

    private static void CheckRolesExist(Snapshot after, IReadOnlyList<string>? roles, ICollection<FieldFault> faults)
    {
        for (var place = 0; place < (roles?.Count ?? 0); place++)
        {
            var role = roles![place]; // Counted just above.
            if (!BuiltInRoles.IsBuiltIn(role) && after.Find(Role.Name, "", role) is null)
                faults.Add(new FieldFault($"spec.roles[{place}]", $"there is no role '{role}'"));
        }
    }

    private static void CheckRoleAgainst(
        Snapshot after, ResourceKey key, RoleSpec? spec, ICollection<FieldFault> faults)
    {
        if (BuiltInRoles.IsBuiltIn(key.Name))
            faults.Add(new FieldFault("", $"the role {key.Name} is built in and cannot be defined"));
        if (spec is null) CheckRoleUnused(after, key.Name, faults);
        else if (key.Name is BuiltInRoles.AnonymousLoopback or BuiltInRoles.AnonymousDns) CheckAnonymous(spec, faults);
    }

    // A search, unlike the other rules; roles are deleted rarely.
    private static void CheckRoleUnused(Snapshot after, string role, ICollection<FieldFault> faults)
    {
        foreach (var (key, resource) in after.Of(Operator.Name))
            if (resource.As<OperatorSpec>().Roles.Contains(role)) AddUse(key);
        foreach (var (key, resource) in after.Of(AccessKey.Name))
            if (resource.As<AccessKeySpec>().Roles.Contains(role)) AddUse(key);

        void AddUse(ResourceKey key)
        {
            const int Shown = 10;
            if (faults.Count < Shown) faults.Add(new FieldFault("", $"{key} holds the role"));
        }
    }

    private static void CheckAnonymous(RoleSpec spec, ICollection<FieldFault> faults)
    {
        for (var place = 0; place < spec.Grants.Count; place++)
        {
            var grant = spec.Grants[place];
            if (grant.Verbs.Any(verb => !AnonymousVerbs.Contains(verb)))
            {
                faults.Add(new FieldFault(
                    $"spec.grants[{place}].verbs",
                    $"callers without a credential get {string.Join(", ", AnonymousVerbs)} at most"));
            }
            if (grant.Kinds.Contains(Grant.Any))
            {
                faults.Add(new FieldFault(
                    $"spec.grants[{place}].kinds", "must be named one by one for callers without a credential"));
            }
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OperatorSpec))]
[JsonSerializable(typeof(RoleSpec))]
[JsonSerializable(typeof(AccessKeySpec))]
internal sealed partial class SecurityJson : JsonSerializerContext;
