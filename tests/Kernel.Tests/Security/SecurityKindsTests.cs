using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Security;

public sealed class SecurityKindsTests : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private OpenSecurity node = null!; // Opened before each test.

    public async ValueTask InitializeAsync() => node = await OpenSecurity.OnAsync(directory);

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        directory.Dispose();
    }

    public static TheoryData<string, string, string, string, string> WrongSpecs { get; } = new()
    {
        {
            "operator", "o",
            """{"passwordHash":"hunter2","roles":[]}""",
            "spec.passwordHash", "must be a password's hash"
        },
        {
            "operator", "o",
            """{"passwordHash":"","roles":[]}""",
            "spec.passwordHash", "must be a password's hash"
        },
        {
            "operator", "o",
            """{"roles":[]}""",
            "spec", "passwordHash"
        },
        {
            "operator", "o",
            """{"passwordHash":null,"roles":[]}""",
            "spec.passwordHash", "must not be null"
        },
        {
            "role", "administrator",
            """{"grants":[]}""",
            "", "built in"
        },
        {
            "role", "reader",
            """{"grants":[]}""",
            "", "built in"
        },
        {
            "role", "r",
            """{"grants":[{"verbs":["fly"],"kinds":["*"]}]}""",
            "spec.grants[0].verbs[0]", "'fly' is not a verb"
        },
        {
            "role", "r",
            """{"grants":[{"verbs":[],"kinds":["*"]}]}""",
            "spec.grants[0].verbs", "1 to 32"
        },
        {
            "role", "r",
            """{"grants":[{"verbs":["read"],"kinds":["Toy"]}]}""",
            "spec.grants[0].kinds[0]", "not a kind"
        },
        {
            "role", "r",
            """{"grants":[{"verbs":["read"],"kinds":["*"],"names":["a*"]}]}""",
            "spec.grants[0].names[0]", "prefix"
        },
        {
            "role", "r",
            """{"grants":[{"verbs":["read"],"kinds":["*"],"namespaces":["A"]}]}""",
            "spec.grants[0].namespaces[0]", "namespace"
        },
        {
            "role", "anonymous-loopback",
            """{"grants":[{"verbs":["write"],"kinds":["toy"]}]}""",
            "spec.grants[0].verbs", "without a credential"
        },
        {
            "role", "anonymous-loopback",
            """{"grants":[{"verbs":["*"],"kinds":["toy"]}]}""",
            "spec.grants[0].verbs", "without a credential"
        },
        {
            "role", "anonymous-loopback",
            """{"grants":[{"verbs":["read"],"kinds":["*"]}]}""",
            "spec.grants[0].kinds", "one by one"
        },
        {
            "access-key", "k",
            """{"hash":"gw_key","roles":[]}""",
            "spec.hash", "never the key itself"
        },
        {
            "access-key", "k",
            """{"hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","roles":[]}""",
            "spec.hash", "lower-case"
        },
        {
            "access-key", "k",
            """{"hash":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","roles":["nobody"]}""",
            "spec.roles[0]", "there is no role"
        },
    };

    [Theory]
    [MemberData(nameof(WrongSpecs))]
    public async Task Wrong_spec_is_refused_with_its_path(
        string kind, string name, string spec, string path, string message)
    {
        var fault = (await node.CommitAsync(OpenSecurity.Admin, OpenSecurity.Raw(kind, name, spec))).Fault;
        Assert.Equal(ErrorCodes.ResourceInvalid, fault?.Error);
        Assert.Contains(fault!.Fields, field =>
            field.Path == path && field.Message.Contains(message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(209_999)]
    [InlineData(2_000_001)]
    public void Hash_with_too_few_or_too_many_iterations_is_refused(int iterations)
    {
        var bytes = Convert.FromBase64String(OpenSecurity.AdminHash);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(5), iterations);
        Assert.Contains("iterations", PasswordHash.FindFault(Convert.ToBase64String(bytes)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Last_enabled_administrator_stays()
    {
        await Refused(OpenSecurity.Delete("operator", "admin"));
        await Refused(node.Operator("admin", [BuiltInRoles.Administrator], disabled: true));
        await Refused(node.Operator("admin", [BuiltInRoles.Reader]));
        await node.MustCommitAsync(
            OpenSecurity.Admin, node.Operator("disabled", [BuiltInRoles.Administrator], disabled: true));
        await Refused(OpenSecurity.Delete("operator", "admin"));
        await node.MustCommitAsync(OpenSecurity.Admin, node.Operator("zoe", [BuiltInRoles.Administrator]));
        // Both at once would pass if each were looked at alone.
        await Refused(OpenSecurity.Delete("operator", "admin"), OpenSecurity.Delete("operator", "zoe"));
        await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Delete("operator", "admin"));
        await Refused(OpenSecurity.Delete("operator", "zoe"));
    }

    [Fact]
    public async Task Role_in_use_cannot_be_deleted_but_role_and_operator_can_come_and_go_together()
    {
        await node.MustCommitAsync(
            OpenSecurity.Admin, node.Operator("bob", ["new"]), OpenSecurity.Role("new", new Grant(["read"], ["toy"])));
        await Refused(OpenSecurity.Delete("role", "new"));
        await node.MustCommitAsync(
            OpenSecurity.Admin, OpenSecurity.Delete("role", "new"), OpenSecurity.Delete("operator", "bob"));
    }

    [Fact]
    public async Task Password_hash_is_encrypted_in_the_store_and_masked_outside()
    {
        var resource = node.Changes.Snapshots.Current.Find("operator", "", "admin")!;
        var stored = System.Text.Encoding.UTF8.GetString(resource.Spec.Span);
        Assert.DoesNotContain(OpenSecurity.AdminHash, stored, StringComparison.Ordinal);
        Assert.Null(resource.As<OperatorSpec>().PasswordHash.Clear);
        Assert.StartsWith("sha256:", resource.As<OperatorSpec>().PasswordHash.Digest, StringComparison.Ordinal);
        // What export writes can be applied again.
        var masked = System.Text.Encoding.UTF8.GetString(node.Security.Secrets.Mask(resource.Kind, resource.Spec).Span);
        Assert.DoesNotContain("sealed", masked, StringComparison.Ordinal);
        var again = await node.MustCommitAsync(OpenSecurity.Admin, OpenSecurity.Raw("operator", "admin", masked));
        Assert.Equal(ChangeEffect.Unchanged, again.Effects[0].Effect);
    }

    private async Task Refused(params Change[] changes) =>
        Assert.Equal(ErrorCodes.ResourceInvalid, (await node.CommitAsync(OpenSecurity.Admin, changes)).Fault?.Error);
}
