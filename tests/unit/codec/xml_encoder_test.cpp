#include "codec/xml/decoder.h"
#include "codec/xml/encoder.h"
#include "codec_fixture.h"
#include "stage/format.h"

namespace leat {
namespace {

class XmlEncoderTest : public CodecTest {
 protected:
  using Fields = std::vector<std::pair<std::string_view, Value>>;
  static Value json(std::string_view text) { return Value::of_text(Type::kJson, text); }
  std::string written(const Fields& fields) {
    XmlEncoder encoder("record", "", "");
    return encode(encoder, *record_of(fields));
  }
};

TEST_F(XmlEncoderTest, writes_an_element_a_record_on_a_line_of_its_own) {
  EXPECT_EQ(written({{"sku", text("A")},
                     {"@id", Value::of_integer(1)},
                     {"ok", Value::boolean(true)},
                     {"at", Value::of_time(1'767'312'000'000'000)},
                     {"none", Value::null()},
                     {"absent", Value::absent()},
                     {"t", Value::of_float(21.5)},
                     {"e", text("")}}),
            "<record id=\"1\"><sku>A</sku><ok>true</ok><at>2026-01-02T00:00:00Z</at><none/>"
            "<t>21.5</t><e></e></record>\n");
  EXPECT_EQ(written({{"@unit", text("C")}, {"#text", Value::of_float(21.5)}}),
            "<record unit=\"C\">21.5</record>\n");
  EXPECT_EQ(written({{"b", Value::of_text(Type::kBytes, "\x01\x02")}}),
            "<record><b>AQI=</b></record>\n");
}

TEST_F(XmlEncoderTest, escapes_what_cannot_stand_for_itself) {
  EXPECT_EQ(written({{"@a", text("<\"&'>\n\t")}, {"t", text("]]>\r\n\t\"<&")}}),
            "<record "
            "a=\"&lt;&quot;&amp;'&gt;&#10;&#9;\"><t>]]&gt;&#13;&#10;\t\"&lt;&amp;</t></record>\n");
  EXPECT_EQ(written({{"t", Value::of_text(Type::kString, "a\\n\\u00e9", Form::kText)}}),
            "<record><t>a&#10;\xC3\xA9</t></record>\n");
  EXPECT_EQ(written({{"t", text("\xEF\xBB\xBFx")}}), "<record><t>\xEF\xBB\xBFx</t></record>\n");
}

TEST_F(XmlEncoderTest, refuses_what_xml_cannot_hold) {
  EXPECT_EQ(written({{"a b", text("x")}}), "");
  EXPECT_EQ(written({{"t", text(std::string_view("\x01", 1))}}), "");
  EXPECT_EQ(written({{"t", text("\xEF\xBF\xBF")}}), "");
  EXPECT_EQ(written({{"t", json(R"({"1st":1})")}}), "");
  EXPECT_EQ(dead_.reasons(),
            (Strings{"a b: no name of an element", "t: a character that XML cannot hold",
                     "t: a character that XML cannot hold", "1st: no name of an element"}));
}

TEST_F(XmlEncoderTest, writes_nested_json_as_elements) {
  EXPECT_EQ(written({{"item", json(R"([{"@n":1,"sku":"A\u0026"},{"@n":2}])")},
                     {"a", json(R"({ "b" : [1, 2, []], "c": {}, "#text": "x" })")},
                     {"m", json("[[1,2],[3]]")},
                     {"none", json("[]")}}),
            "<record><item n=\"1\"><sku>A&amp;</sku></item><item n=\"2\"/>"
            "<a><b>1</b><b>2</b><b></b><c/>x</a>"
            "<m><item>1</item><item>2</item></m><m><item>3</item></m></record>\n");
}

TEST_F(XmlEncoderTest, encloses_documents_as_options_say) {
  const WriteFormat* xml = find_write_format("xml");
  ASSERT_NE(xml, nullptr);
  Options options(xml->options, "sink.xml");
  options.set("root", "o:orders");
  options.set("attributes", Options::Map{{"xmlns:o", "urn:a&b"}});
  auto encoder = xml->make_encoder(options);
  ASSERT_TRUE(encoder);
  DocumentWrap wrap = xml->wrap(encoder->get());
  EXPECT_EQ(wrap.open,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<o:orders xmlns:o=\"urn:a&amp;b\">\n");
  EXPECT_EQ(wrap.close, "</o:orders>\n");
  options.set("record", "1st");
  auto refused = xml->make_encoder(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "sink.xml.record: must be a name of an element, found \"1st\"");
}

TEST_F(XmlEncoderTest, writes_what_is_read_back_as_the_same) {
  const std::string record =
      R"({"@id":1,"name":"a<b>&\"c\"\n","list":[1,2.50,null,"x"],"deep":{"@k":"v","e":{"f":[true,false]},"#text":"t"},"none":null})";
  XmlDialect dialect;
  XmlDecoder decoder(dialect);
  const std::string element =
      "<r id='1'><name>a&lt;b&gt;&amp;\"c\"&#10;</name><list>1</list><list>2.50</list><list/>"
      "<list>x</list><deep k='v'><e><f>true</f><f>false</f></e>t</deep><none/></r>";
  EXPECT_EQ(decode(decoder, element), Strings{record});
  XmlEncoder encoder("r", "", "");
  EXPECT_EQ(decode(decoder, encode(encoder, *batch_)), Strings{record});
}

}  // namespace
}  // namespace leat
