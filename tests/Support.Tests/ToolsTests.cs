using Groundwork.Tests.Support;
using Xunit.Sdk;

namespace Groundwork.Support.Tests;

/// <summary>Sets environment variables of the process, so its tests run one by one and put them back.</summary>
public sealed class ToolsTests : IDisposable
{
    private readonly string? required = Environment.GetEnvironmentVariable(Tools.RequireVariable);
    private readonly TemporaryDirectory directory = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Tools.RequireVariable, required);
        directory.Dispose();
    }

    [Fact]
    public void A_program_is_found_in_the_first_directory_that_has_it_executable()
    {
        var plain = directory.Write("a/tool", "not a program");
        var program = directory.Write("b/tool", "#!/bin/sh\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Assert.Equal(program, Tools.Find("tool", [Path.GetDirectoryName(plain)!, Path.GetDirectoryName(program)!]));
        Assert.Null(Tools.Find("tool", [directory.Combine("absent")]));
    }

    [Fact]
    public void A_missing_program_skips_the_test_with_the_reason()
    {
        Environment.SetEnvironmentVariable(Tools.RequireVariable, null);
        // Assert.Throws lets a skip through: it would end this test too.
        Exception? caught = null;
        try
        {
            Tools.Require("no-such-program", "no-such-package");
        }
        catch (SkipException skip)
        {
            caught = skip;
        }
        Assert.NotNull(caught);
        Assert.Contains("no-such-package", caught.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_program_fails_the_test_where_tools_are_required()
    {
        Environment.SetEnvironmentVariable(Tools.RequireVariable, "1");
        Assert.Throws<FailException>(() => Tools.Require("no-such-program", "no-such-package"));
    }
}
