//! Pictures of drawings, with a font that comes with this program.

use std::error::Error;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Pixels of a picture for each of the drawing's.
pub const SCALE: u32 = 2;

/// Makes pictures. What needs to be read once is read once.
pub(super) struct Painter {
    options: Options<'static>,
}

impl Painter {
    /// With Ubuntu Light for all text, and no other font: pictures are the same on every machine.
    pub(super) fn new() -> Self {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
        let family = fonts.faces().next().and_then(|face| face.families.first().map(|(name, _)| name.clone()));
        let family = family.unwrap_or_default();
        fonts.set_sans_serif_family(family.clone());
        Self { options: Options { font_family: family, fontdb: Arc::new(fonts), ..Options::default() } }
    }

    /// # Errors
    /// What is no drawing, or one of no size.
    pub(super) fn paint(&self, svg: &str, (width, height): (u32, u32)) -> Result<Vec<u8>, Box<dyn Error>> {
        let tree = Tree::from_str(svg, &self.options)?;
        let mut picture = Pixmap::new(width * SCALE, height * SCALE).ok_or("a drawing of no size")?;
        let scale = SCALE as f32;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut picture.as_mut());
        Ok(picture.encode_png()?)
    }
}
