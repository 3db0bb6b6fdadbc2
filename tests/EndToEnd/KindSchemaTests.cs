using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// The schemas of the kinds, held to the published dialect by the check that settings are published under: a setting
/// takes a schema of draft 2020-12 and refuses a text that breaks it.
/// </summary>
public sealed class KindSchemaTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// <summary>A spec of every kind that people write, with every field that may be there.</summary>
    private static readonly Dictionary<string, string> Specs = new(StringComparer.Ordinal)
    {
        ["access-key"] = $$"""
            {"hash":"{{Hash}}","roles":["administrator"],"grants":[{"verbs":["read"],"kinds":["*"],"namespaces":["_"],
             "names":["a/*"]}],"description":"x","expiresAt":"2030-01-01T00:00:00Z"}
            """,
        ["access-list"] = """
            {"clients":["10.0.0.0/8"],"users":["mallory"],"keys":["key:a"],"tokens":["5d0f3c"],"description":"x"}
            """,
        ["apollo-app"] = $$"""
            {"secret":"{{Hash}}","oldSecret":"{{Hash}}","namespaces":["default"],"readSecrets":true}
            """,
        ["approval-policy"] = """{"kinds":["*"],"namespaces":["*"],"names":["shop/*"],"description":"x"}""",
        ["cache-purge"] = """{"route":"shop","host":"a.b","prefix":"/a","tag":"t","at":"1"}""",
        ["certificate"] = Certificate(),
        ["cipher-key"] = """{"key":"foo","salt":"deadbeef","description":"x"}""",
        ["config-bus"] = """
            {"host":"rabbit.example.com","port":5671,"username":"bus","password":"x","virtualHost":"/","tls":true,
             "exchange":"springCloudBus","description":"x"}
            """,
        ["config-source"] = """
            {"git":"https://git.example.com/shop.git","label":"main","paths":["apps/{application}"],
             "applications":["orders"],"order":10,"refreshSeconds":30,"timeoutSeconds":30,"maxMegabytes":256,
             "username":"bot","password":"x","allowHttp":false,"webhookSecret":"12345678","namespace":"default",
             "settings":false,"description":"x"}
            """,
        ["dns-rule"] = """
            {"names":["*.corp.example"],"order":1,"networks":["10.0.0.0/8"],"labels":{"tier":"gold"},"percent":12.5,
             "from":"2026-01-01T00:00:00Z","until":"2027-01-01T00:00:00Z","hours":"22:00-06:00","zones":["eu"],
             "version":"1","tag":"blue"}
            """,
        ["dns-zone"] = """
            {"records":[{"name":"www","type":"A","values":["10.0.0.1"],"ttlSeconds":5},
              {"name":"api","service":"shop/orders"}],"ttlSeconds":60,"negativeTtlSeconds":5}
            """,
        ["gateway-listener"] = """
            {"tls":{"minVersion":"1.3"},
             "bounds":{"maxConnections":100,"maxConnectionsPerAddress":10,"bodyBytes":1000,"headMs":1000,
              "keepAliveMs":1000,"responseHeadMs":1000,"idleMs":1000},
             "caller":{"trusted":["10.0.0.0/8"],"hops":2,"source":"forwarded","proxyProtocol":["10.0.0.0/8"],
              "tell":["x-real-ip","forwarded"]},
             "redirectToHttps":true,"access":{"deny":{"clients":["10.0.0.0/8"]}},
             "limits":[{"name":"a","concurrent":5}]}
            """,
        ["gray-release"] = """
            {"setting":"shop/a.yaml","content":"A: 2","to":{"instances":["a/1"],"labels":{"zone":"b"},"percent":12.25},
             "format":"yaml","secret":false,"priority":1,"description":"x"}
            """,
        ["httpdns-account"] = $$"""
            {"names":["*.corp.example"],"secret":"{{Hash}}","aesKey":"{{Hash}}","tencentKey":"{{Hash}}",
             "token":"{{Hash}}","allowUnsigned":true}
            """,
        ["instance-override"] = """{"weight":0,"reason":"slow"}""",
        ["namespace"] = """{"description":"x"}""",
        ["operator"] = """
            {"passwordHash":{"secret":"sha256:x"},"roles":["administrator"],"displayName":"A","disabled":false}
            """,
        ["proposal"] = """
            {"state":"released","author":"operator:a","reason":"","policy":"p","proposedAt":"2026-01-01T00:00:00Z",
             "changes":[{"operation":"delete","kind":"route","namespace":"default","name":"a","expect":1}],
             "decidedBy":"operator:b","decidedAt":"2026-01-01T00:00:00Z","decisionReason":"x"}
            """,
        ["retention"] = """{"historyDays":30}""",
        ["openapi-document"] = """
            {"document":{"openapi":"3.1.0","paths":{"/a":{"get":{"parameters":[{"name":"b","in":"query",
             "schema":{"enum":[null,1]}}]}}}},"description":"x"}
            """,
        ["role"] = """{"grants":[{"verbs":["read"],"kinds":["route"]}],"description":null}""",
        ["route"] = """
            {"match":{"hosts":["*"],"path":"/api/{id}/**","methods":["GET"],
              "headers":[{"name":"X-A","values":["1"]},{"name":"X-B","present":true}],
              "query":[{"name":"q","prefix":"a"}],
              "cookies":[{"name":"c","pattern":"[0-9]+"}],"clients":["10.0.0.0/8"],
              "time":{"zone":"Europe/Berlin","days":["mon"],"from":"08:00","to":"18:00","begins":"2026-01-01T00:00",
               "ends":"2027-01-01T00:00"}},
             "split":{"by":"path:id","parts":[{"weight":1,"service":"catalog","version":"1","metadata":{"a":"b"}},
              {"weight":0,"upstream":"legacy"}]},
             "canary":[{"service":"catalog","version":"2","headers":[{"name":"X","present":true}],
              "cookies":[{"name":"c","values":["1"]}],"percent":2.5,"by":"client"}],
             "priority":1,"request":{"host":"{host}","path":{"stripPrefix":"/api","addPrefix":"/v2"},
              "query":{"set":{"a":"{id}"},"add":{"b":"c"},"remove":["d"]},
              "headers":{"set":{"X-A":"{rest}"},"add":{"X-B":"b"},"remove":["X-C"],"rename":{"X-D":"X-E"}}},
             "response":{"headers":{"remove":["Server"]}},
             "access":{"deny":{"clients":["10.0.0.0/8"],"lists":["blocked"]},"allow":{"users":["a"],"keys":["key:a"]},
              "token":{"issuers":["main"],"scopes":["a"],"claims":[{"name":"b","values":["c"]}],"cookie":"d",
               "passOn":false},
              "accessKey":{"roles":["reader"],"header":"X-Api-Key"},"signature":{"windowSeconds":10,"bodyBytes":0},
              "require":"any","ask":{"service":"verifier","path":"/v","timeoutMs":100,"requestHeaders":["cookie"],
               "serviceHeaders":["X-A"],"clientHeaders":["location"],"userHeader":"X-User"},
              "identity":{"audience":"orders","claims":["email"],"signed":true}},
             "limits":[{"name":"a","by":["client","path:id"],"bucket":{"requests":1,"seconds":2,"burst":3},
               "warmUpSeconds":1,"maxKeys":5,"shared":false,"tell":true},
              {"name":"b","by":["query:q"],"window":{"requests":1,"seconds":60},
               "exceptions":[{"value":"x","requests":0}]},
              {"name":"c","pace":{"requests":1,"seconds":1,"maxWaitMs":10}},{"name":"d","concurrent":5}],
             "resilience":{"retry":{"tries":3,"statuses":[503],"backoffMs":1,"maxBackoffMs":2},
              "fallback":{"respond":{"status":200,"body":"x"}},"importance":"low"},
             "mirror":{"service":"shadow","percent":2.5,"maxBodyKilobytes":1},
             "inject":{"delay":{"ms":1,"percent":0.5},"abort":{"status":500,"percent":1},
              "headers":[{"name":"X","present":true}]},
             "inspect":{"mode":"block","threshold":5,"level":2,"classes":["sql"],"headers":["user-agent"],
              "bodyBytes":0,"unseen":"pass","except":[{"parameters":["a"],"rules":["sql-union"]}]},
             "openApi":{"document":"shop/public","mode":"block","prefix":"/api","unknown":"pass",
              "unknownQuery":"refuse","bodyBytes":0,"unseen":"pass"},
             "signedUrls":{"key":"shop/downloads","query":["size"],"client":true,"maxSeconds":60},
             "timeouts":{"connectMs":100,"tryMs":100,"totalMs":1000},"exposeRevision":true}
            """,
        ["service-policy"] = """
            {"maintenance":true,"reason":"x","protectionThreshold":0.5,"probe":{"type":"http","path":"/","port":"admin",
             "intervalSeconds":10,"timeoutMs":100,"expectedStatus":"200-299","unhealthyAfter":1,"healthyAfter":2}}
            """,
        ["setting"] = """
            {"format":"json","content":"{}","secret":false,"description":"x","schema":{"type":"object"},
             "promotedFrom":{"namespace":"test","revision":3,"keys":{"a":1}}}
            """,
        ["signing-key"] = $$"""
            {"secret":"{{Hash}}","previous":"{{Hash}}","user":"bob","tenant":"acme","expiresAt":"2030-01-01T00:00:00Z",
             "description":"x"}
            """,
        ["tcp-route"] = """
            {"listen":"127.0.0.1:6380","service":"cache","serverNames":["db.example.com"],"allow":["10.0.0.0/8"],
             "deny":["10.1.0.0/16"],"maxConnections":10,"maxConnectionsPerAddress":5,"connectMs":100,"idleMs":1000,
             "proxyProtocol":["10.0.0.0/8"],"sendProxyProtocol":true}
            """,
        ["token-issuer"] = $$"""
            {"issuer":"https://id.example.com","audiences":["shop"],"algorithms":["HS256"],"secret":"{{Hash}}",
             "refreshSeconds":60,"clockSkewSeconds":1,"types":["at+jwt"],"userClaim":"sub","tenantClaim":"org",
             "issuedAfter":"2026-01-01T00:00:00Z"}
            """,
        ["upstream"] = """
            {"addresses":[{"address":"10.0.0.7:80","weight":1,"zone":"a","tier":1}],
             "scheme":"http","allowLoopback":false,
             "choose":{"policy":"hash","by":"cookie:user","zoneFirst":true,"slowStartSeconds":1},
             "sticky":{"cookie":"gw","maxAgeSeconds":60,"domain":"example.com","path":"/","secure":true,
              "sameSite":"strict"},
             "ejection":{"failures":3,"firstSeconds":1,"longestSeconds":2,"maxPercent":50,"panicPercent":30},
             "resilience":{"retry":{"tries":1},"budget":{"percent":10,"minPerSecond":1},
              "breaker":{"errorPercent":10,"slowMs":5,"slowPercent":50,"minimumCalls":1,"windowSeconds":5,
               "openSeconds":5,"probes":1},
              "bulkhead":{"maxUnderWay":5,"maxWaiting":1,"maxWaitMs":5},
              "adaptive":{"initial":5,"least":1,"most":10}},"protocol":"h2"}
            """,
        ["setting-group"] = """{"includes":["common"],"description":"x"}""",
    };

    /// <summary>Kinds whose names have a form of their own.</summary>
    private static readonly Dictionary<string, string> KnownNames = new(StringComparer.Ordinal)
    {
        ["gateway-listener"] = "http", ["instance-override"] = "default/orders/1", ["retention"] = "history",
        ["service-policy"] = "default/orders", ["setting"] = "shop/b.json",
    };

    private static string Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("shop.example.com");
        var request = new CertificateRequest("CN=shop.example.com", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        return new JsonObject
        {
            ["chain"] = made.ExportCertificatePem(), ["privateKey"] = key.ExportPkcs8PrivateKeyPem(),
        }.ToJsonString();
    }

    [Fact]
    public async Task Every_kind_has_a_schema_that_is_valid_and_takes_a_valid_spec_and_refuses_others()
    {
        await using var product = await Product.StartAsync();
        await PutAsync(product, "setting/default/shop/a.yaml", """{"format":"yaml","content":"A: 1"}""");
        var kinds = await product.Local.GetFromJsonAsync<JsonArray>("/groundwork/v1/kinds");
        var names = kinds!.Select(kind => (string)kind!["name"]!).ToList(); // The call succeeded, kinds have names.
        Assert.All(kinds!, kind => Assert.Null(kind!["schema"])); // The list is light.
        foreach (var kind in names)
        {
            var schema = await SchemaAsync(product, kind);
            Assert.True(Specs.ContainsKey(kind), $"The kind {kind} has no spec in this test.");
            Assert.Equal("ok", await CheckAsync(product, schema, Specs[kind]));
            Assert.Contains("schema.additionalProperties", await CheckAsync(
                product, schema, With(Specs[kind], "unheardOf", JsonValue.Create(1))), StringComparison.Ordinal);
            var area = kinds!.Single(one => (string?)one!["name"] == kind)!["namespaced"]!.GetValue<bool>()
                ? "default" : "_";
            // A masked secret stands for one that is there, and there is none; proposals are the platform's own.
            if (kind is "operator" or "proposal") continue;
            var name = KnownNames.GetValueOrDefault(kind, "some");
            await PutAsync(product, $"{kind}/{area}/{name}?dryRun=true", Specs[kind]);
        }
    }

    [Theory]
    [InlineData("route", """{"match":{"path":"/"},"service":"a"}""", "schema.required")]
    [InlineData("route", """{"match":{"hosts":[],"path":"/"},"service":"a"}""", "schema.minItems")]
    [InlineData(
        "route", """{"match":{"hosts":["*"],"path":"/"},"service":"a","timeouts":{"connectMs":1}}""", "schema.minimum")]
    [InlineData("role", """{"grants":[{"verbs":["raed"],"kinds":["*"]}]}""", "schema.enum")]
    [InlineData("gray-release", """{"setting":"a/b","content":"","to":{"instances":[1]}}""", "schema.type")]
    [InlineData("operator", """{"passwordHash":1,"roles":[]}""", "schema.anyOf")]
    public async Task Schema_says_what_a_field_may_be(string kind, string spec, string keyword)
    {
        await using var product = await Product.StartAsync();
        Assert.Contains(
            keyword, await CheckAsync(product, await SchemaAsync(product, kind), spec), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_field_is_explained_and_secrets_are_marked()
    {
        await using var product = await Product.StartAsync();
        var kinds = await product.Local.GetFromJsonAsync<JsonArray>("/groundwork/v1/kinds");
        var silent = new List<string>();
        foreach (var kind in kinds!.Select(kind => (string)kind!["name"]!)) // As above.
            FindSilent(kind, await SchemaAsync(product, kind), silent);
        Assert.Empty(silent);
        var secret = (await SchemaAsync(product, "operator"))["properties"]!["passwordHash"]; // It has one.
        Assert.Equal("always", (string?)secret?["x-groundwork-secret"]);
    }

    [Fact]
    public async Task Kind_that_is_not_there_is_told()
    {
        await using var product = await Product.StartAsync();
        using var answer = await product.Local.GetAsync("/groundwork/v1/kinds/unheard-of");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("kind_unknown", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static void FindSilent(string path, JsonObject schema, List<string> silent)
    {
        foreach (var (name, field) in schema["properties"] as JsonObject ?? [])
        {
            var here = $"{path}.{name}";
            if (field is not JsonObject known || (string?)known["description"] is not { Length: > 0 }) silent.Add(here);
            else if (known["anyOf"] is null) FindSilent(here, known["items"] as JsonObject ?? known, silent);
        }
    }

    /// <summary>What the platform says of a text under a schema: <c>ok</c>, or the problem.</summary>
    private static async Task<string> CheckAsync(RunningNode product, JsonObject schema, string content)
    {
        using var answer = await product.Local.PutAsJsonAsync(
            "/groundwork/v1/resources/setting/default/check/spec.json?dryRun=true",
            new JsonObject
            {
                ["spec"] = new JsonObject
                {
                    ["format"] = "json", ["content"] = content, ["schema"] = schema.DeepClone(),
                },
            });
        return answer.IsSuccessStatusCode ? "ok" : await answer.Content.ReadAsStringAsync();
    }

    private static async Task<JsonObject> SchemaAsync(RunningNode product, string kind)
    {
        var document = await product.Local.GetFromJsonAsync<JsonObject>($"/groundwork/v1/kinds/{kind}");
        return document!["schema"]!.AsObject(); // The call succeeded, and every kind has one.
    }

    private static string With(string spec, string name, JsonNode? value)
    {
        var document = JsonNode.Parse(spec)!.AsObject(); // The specs above are objects.
        document[name] = value;
        return document.ToJsonString();
    }

    private static async Task PutAsync(RunningNode product, string resource, string spec)
    {
        using var answer = await product.Local.PutAsJsonAsync(
            $"/groundwork/v1/resources/{resource}", new JsonObject { ["spec"] = JsonNode.Parse(spec) });
        Assert.True(answer.IsSuccessStatusCode, $"{resource}: {await answer.Content.ReadAsStringAsync()}");
    }
}
